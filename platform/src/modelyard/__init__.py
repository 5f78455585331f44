"""Modelyard: one `Model` resource becomes a fast, safe endpoint.

A `Model` (`api`) names a registry entry (`registry`). The operator (`operator`) gathers what is
(`clients`), asks pure functions what should be done (`core`), and carries it out: an entry is built
once into a Triton model repository (`builder`), served by a KServe InferenceService per revision,
published through the gateway over HTTP and gRPC, and switched without losing a request. `cli` holds
the same verbs for people, `sdk` what Python programs ask with: `modelyard.Client` and `modelyard.AsyncClient`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The clients, imported when they are used: the command line and the operator do without."""
    if name in ("AsyncClient", "Client"):
        return getattr(import_module("modelyard.sdk"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
