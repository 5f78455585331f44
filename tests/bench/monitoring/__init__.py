"""What monitoring finds, and what it costs."""
