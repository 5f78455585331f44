"""Model files: what they say about themselves, how they are read, converted and written, without running them."""
