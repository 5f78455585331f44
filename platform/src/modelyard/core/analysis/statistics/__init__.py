"""The mathematics of the gates: sequential tests, e-values, overdispersion, burn rate, and their simulation."""
