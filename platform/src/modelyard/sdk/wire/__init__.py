"""The questions on their way: as HTTP requests and gRPC messages, over connections that block or are awaited."""
