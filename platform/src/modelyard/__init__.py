"""Modelyard: one `Model` resource becomes a fast, safe endpoint.

A `Model` (`api`) names a registry entry (`registry`). The operator (`operator`) gathers what is
(`clients`), asks pure functions what should be done (`core`), and carries it out: an entry is built
once into a Triton model repository (`builder`), served by a KServe InferenceService per revision,
published through the gateway over HTTP and gRPC, and switched without losing a request. `cli` holds
the same verbs for people.
"""

__version__ = "0.1.0"
