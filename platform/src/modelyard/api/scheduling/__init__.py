"""Where pods may run, in the words of a PodSpec (node selectors, tolerations, affinity, spreading), and how many."""
