"""Records what Models were asked and answered: copies from the gateway, redacted, as rows in the store."""
