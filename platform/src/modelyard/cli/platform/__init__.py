"""Verbs for who runs the platform: doctor."""
