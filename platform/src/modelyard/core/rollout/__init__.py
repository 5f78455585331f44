"""How a new revision earns its traffic: the table of states, what moves them, and the weights that follow."""
