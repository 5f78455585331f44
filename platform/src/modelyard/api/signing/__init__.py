"""Whose signature an entry needs before it is served."""
