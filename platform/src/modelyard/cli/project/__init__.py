"""A repository of one's own: the template that people copy, and the verb that copies it."""
