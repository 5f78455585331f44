"""A cluster around one Model in memory, for tests of the core, and what must hold in it."""
