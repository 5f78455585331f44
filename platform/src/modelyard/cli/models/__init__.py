"""Verbs that look at a Model or ask it: get, explain, predict, compare."""
