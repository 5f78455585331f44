"""The cache of a node: pods of Models on it download a build from the store once, and from then on from here.

It speaks as much of S3 as KServe's storage initializer asks for, so nothing of a pod knows of it but the address.
"""
