"""What is watched of the rows a Model is asked with: the wish in the spec, the reference, the counts, the status."""
