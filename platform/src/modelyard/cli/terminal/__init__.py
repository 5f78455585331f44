"""What every verb prints with: console, tables, durations, options."""
