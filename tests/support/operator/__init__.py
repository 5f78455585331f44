"""The operator on a real API server, with everything around it simulated."""
