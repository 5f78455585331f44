"""Gathers the facts of one Model into a Snapshot."""
