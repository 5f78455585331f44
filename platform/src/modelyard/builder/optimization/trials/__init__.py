"""One recipe made and judged, timed against the others, and remembered for the Job that follows."""
