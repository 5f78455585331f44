"""Revisions: their life from creation to removal, whether they are ready, and how their pods and routes fail."""
