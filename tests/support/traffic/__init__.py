"""Simulated traffic by the million requests."""
