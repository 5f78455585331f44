"""Whether a Model is to have a new version trained, and what becomes of it. `decision` has the table of states."""
