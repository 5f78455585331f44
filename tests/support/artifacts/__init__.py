"""Entries and the models in them, made on the spot."""
