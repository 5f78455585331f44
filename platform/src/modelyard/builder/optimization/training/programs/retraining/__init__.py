"""Code of an entry's author: loaded from its training folder, and asked for a new version of the model."""
