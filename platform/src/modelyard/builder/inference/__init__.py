"""A model file opened, asked and timed, in processes with limits."""
