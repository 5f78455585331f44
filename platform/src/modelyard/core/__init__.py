"""The decisions: pure functions from what is to what should be done.

`snapshot.py` is what is, `plan.py` what should be done, `decide.py` the path from one to the other.
Nothing here reads a clock, a network or a file, so every decision can be replayed in a test.
"""
