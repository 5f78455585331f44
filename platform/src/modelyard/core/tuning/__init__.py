"""How a server is told to run a model, and which settings are tried next."""
