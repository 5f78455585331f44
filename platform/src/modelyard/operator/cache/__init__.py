"""The objects we watch, kept in memory, and the writes that change them."""
