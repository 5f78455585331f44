"""The mathematics of the detector: bounds of shares, evidence, overdispersion."""
