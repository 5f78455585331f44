"""Verbs that make artifacts and show them: build, optimize, report, export, serve."""
