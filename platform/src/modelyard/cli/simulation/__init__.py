"""What the statistics would do, tried on made-up traffic: rollouts, and drift."""
