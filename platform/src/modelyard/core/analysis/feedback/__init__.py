"""What labels say of a candidate: its wrong answers beside those of the stable, given at the same time."""
