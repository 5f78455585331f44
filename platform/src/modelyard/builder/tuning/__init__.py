"""Tuning a model to an objective: a real Triton, load in an open loop, and the settings that take on most of it."""
