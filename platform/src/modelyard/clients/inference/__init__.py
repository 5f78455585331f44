"""Requests to models: through the gateway, over HTTP and gRPC, and two revisions compared."""
