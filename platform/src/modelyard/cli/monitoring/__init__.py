"""Verbs that say how Models do."""
