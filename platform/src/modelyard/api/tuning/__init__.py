"""Tuning: what a Model asks for, and what was measured."""
