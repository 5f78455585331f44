"""The gateway's counters, read every second and made into windows."""
