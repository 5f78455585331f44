"""Programs of the cluster and where they come from: Go builds, wheels, the machine."""
