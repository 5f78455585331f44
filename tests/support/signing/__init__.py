"""Keys, entries and builds that are signed, for tests."""
