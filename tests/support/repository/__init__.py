"""What the working tree says of itself: rendered charts and the programs its sources start."""
