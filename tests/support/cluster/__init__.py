"""Words for tests on the local cluster: kubectl, Models there, load on them and what it counts."""
