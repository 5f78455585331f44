"""Whether a Model is still right, by the labels that came: intervals of shares, and the detector on decay. Pure."""
