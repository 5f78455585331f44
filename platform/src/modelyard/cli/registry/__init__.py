"""Verbs of the registry: push, entries, alias."""
