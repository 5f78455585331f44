"""Which artifact a Model needs, what its optimization is doing, and what it gave."""
