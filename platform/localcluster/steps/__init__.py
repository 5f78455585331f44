"""A start as a graph of steps: the graph, one step's task, and how far it is."""
