"""Stand-ins for what a machine has: a clock, a GPU, programs, an empty home."""
