"""Generators of the reference pages; `make generate` runs them."""
