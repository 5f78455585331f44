"""What is made of the chosen variant: an entry, an artifact, a published build."""
