"""The API server, and how this process reaches it."""
