"""What the operator knows of keys and of signatures."""
