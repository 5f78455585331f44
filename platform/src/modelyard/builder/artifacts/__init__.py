"""From what a person has to a published Triton model repository."""
