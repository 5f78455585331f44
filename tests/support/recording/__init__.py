"""A recorder and the gateway before it, as processes of their own."""
