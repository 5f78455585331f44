"""Observe, decide, carry out, tell."""
