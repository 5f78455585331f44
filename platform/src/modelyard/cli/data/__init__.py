"""Verbs about recorded requests."""
