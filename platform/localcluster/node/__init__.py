"""The node and its control plane: namespaces, network, processes, and the host beneath."""
