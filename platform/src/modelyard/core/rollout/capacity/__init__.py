"""Whether there is room for what a rollout is to do next."""
