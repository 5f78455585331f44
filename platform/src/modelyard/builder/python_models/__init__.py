"""Python models: entries that their author's own Python answers, for what cannot become ONNX."""
