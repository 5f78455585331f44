"""The only I/O with outside parties: the cluster's API server, the gateway, the object store.

Each port is one small class with the verbs we use; whatever goes wrong leaves it as a class of
`modelyard.errors`, so that callers never meet a library's own exceptions.
"""
