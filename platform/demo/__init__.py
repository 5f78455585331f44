"""`make demo`: the whole path of a Model, shown once with real parts.

A cluster is brought up, the example entries are pushed, `manifests/digits.yaml` is applied, a handwritten
digit is recognised over HTTP and over gRPC, and version 2 takes over while a steady load counts failed
requests. Everything is done by the commands a person would type, and they are shown. It can be run again.
"""
