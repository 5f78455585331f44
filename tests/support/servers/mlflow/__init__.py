"""MLflow servers for tests: a simulated one and a real one, and what people do with them."""
