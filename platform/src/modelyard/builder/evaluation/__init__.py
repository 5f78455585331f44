"""Inputs to judge a model by, and the metrics it is held to."""
