"""What was promised (`spec.slo`), how much of it is used up, and how fast."""
