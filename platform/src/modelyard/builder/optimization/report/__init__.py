"""What an optimization found, for programs and for people."""
