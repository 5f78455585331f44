"""Files of people with the inputs of a model: one module a kind of file, then datatypes and shapes."""
