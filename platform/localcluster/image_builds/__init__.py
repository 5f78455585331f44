"""Images: which there are, how they are built and kept, and the steps that do it."""
