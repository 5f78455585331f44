"""What can be asked of a server, whatever protocol carries it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from modelyard.clients.inference.predictions import Endpoint

if TYPE_CHECKING:
    import numpy as np


class CallKind(StrEnum):
    """The questions, and what answers them."""

    READY = "ready"
    """Why the model is not ready, a sentence; empty when it is."""
    METADATA = "metadata"
    """A `Description`."""
    CONFIG = "config"
    """How many rows the server takes at once; 0 when it does not say."""
    INFER = "infer"
    """An `InferenceAnswer`."""
    EXPLAIN = "explain"
    """Whatever JSON an explainer writes."""
    FEEDBACK = "feedback"
    """How many labels were taken."""
    INDEX = "index"
    """Rows with the name, version, state and reason of every model of the server."""


class Call(NamedTuple):
    """A question about one model; `inputs` are arrays by name, `request_id` is empty where the gateway is to choose.

    `body` is the JSON of labels.
    """

    kind: CallKind
    endpoint: Endpoint
    inputs: Mapping[str, np.ndarray] = {}
    request_id: str = ""
    body: bytes = b""


class InferenceAnswer(NamedTuple):
    """Arrays by output name, the revision that gave them and the request's id; the last two empty without a gateway."""

    outputs: Mapping[str, np.ndarray]
    revision: str
    request_id: str


class ClientOptions(NamedTuple):
    """How a client asks: see `Client`."""

    token: str = ""
    binary: bool = True
    timeout: float = 30.0
    retries: int = 2
    verify: Any = True
    connections: int = 32
