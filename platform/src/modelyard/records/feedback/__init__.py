"""Labels that came for recorded answers: as files, joined with the answers, and what they say of quality."""
