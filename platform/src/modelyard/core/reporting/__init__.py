"""What a decision tells the world: the view it shares, status and conditions, events, and what is cleared away."""
