"""Reconcile passes over Models: observe, decide, carry out, record Events."""
