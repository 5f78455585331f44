"""What is kept of a revision between two looks at its counts, and what is told of it. Pure."""
