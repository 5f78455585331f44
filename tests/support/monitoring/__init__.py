"""Prometheus and Alertmanager for tests."""
