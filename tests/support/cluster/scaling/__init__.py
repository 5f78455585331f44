"""Numbers of replicas: those an autoscaler chooses, and none while nobody asks."""
