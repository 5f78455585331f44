"""Triton: its configuration, its installation on this machine, one server process, and its smoke test."""
