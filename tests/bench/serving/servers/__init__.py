"""What people serve an ONNX file with when they write the server themselves, each a program of its own."""
