"""Benches of registries."""
