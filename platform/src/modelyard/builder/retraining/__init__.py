"""A new version of an entry: trained by its author's function on labelled rows, judged against the one that serves."""
