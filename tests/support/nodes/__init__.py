"""A cache of builds on a node: one that runs here, the link to its store, and the one of a cluster."""
