"""Names of things in the object store, and the port through which they are read and written."""
