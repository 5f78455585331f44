"""Who chooses the number of replicas inside `spec.scaling`, by what, and the object that says so."""
