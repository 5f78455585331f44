"""What changes where pods download from, for everybody."""
