"""Nouns of a model's life from version to version."""
