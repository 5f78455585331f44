"""Which variants are tried, and which of them is chosen."""
