"""Models of other libraries, made into ONNX where their owner trusts the file, and held to their own answers."""
