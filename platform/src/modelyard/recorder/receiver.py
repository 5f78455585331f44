"""Takes Envoy's copies of requests, and makes rows of those that are whole.

Envoy waits for nothing of this: what cannot be taken is lost, and counted here. A stream is ended as soon as its last
message came, or Envoy would hold it open for five seconds more.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from envoy.service.ext_proc.v3.external_processor_pb2_grpc import (
    ExternalProcessorServicer,
    add_ExternalProcessorServicer_to_server,
)

from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.records.columns import columns_of, rows_of
from modelyard.records.features import features_of, summed_up

from .encodings import unpacked
from .exchanges import Assembly, Exchange
from .minutes import Minutes, RecordedRows
from .recorder_metrics import RecorderMetrics
from .redaction import Redaction
from .tensors import Malformed, over_grpc, over_http

_MESSAGE_BYTES = 16 << 20
"""Of one piece of a body at most; Envoy's are of its buffers' size."""


@dataclass(frozen=True)
class CaptureLimits:
    """Of one process: bytes kept of a body, streams at a time, and bytes of the bodies of all of them."""

    body_bytes: int = 1 << 20
    streams: int = 500
    all_bytes: int = 128 << 20


@dataclass(frozen=True)
class CapturePolicy:
    """Of one Model: what may be written of its rows, by revision the reference that they are counted by.

    `labelled` tells whether labels are taken, `learns` whether revisions without a reference get that of their first
    days.
    """

    redaction: Redaction
    profiles: Mapping[str, ReferenceProfile] = field(default_factory=dict)
    labelled: bool = False
    learns: bool = False


Policies = Callable[[str, str], CapturePolicy | None]
"""Of a Model by namespace and name; None for one that is not recorded."""


class Receiver(ExternalProcessorServicer):
    """Envoy's `ExternalProcessor`; rows go to `minutes`."""

    def __init__(self, policies: Policies, minutes: Minutes, limits: CaptureLimits, metrics: RecorderMetrics) -> None:
        self._policies, self._minutes, self._limits, self._metrics = policies, minutes, limits, metrics
        self.open = self._bytes = 0

    async def Process(self, request_iterator: AsyncIterator[Any], context: Any) -> None:  # noqa: N802 - the protocol's name
        """One request's copies; nothing is ever answered."""
        if self.open >= self._limits.streams:
            await self._refuse(context)
        self.open += 1
        assembly = Assembly(self._limits.body_bytes)
        try:
            async for message in request_iterator:
                before = assembly.size
                assembly.take(message)
                self._bytes += assembly.size - before
                if self._bytes > self._limits.all_bytes:
                    await self._refuse(context)
                if assembly.over:
                    break
        except asyncio.CancelledError:
            if assembly.counts:
                self._metrics.ended("incomplete")
            raise
        finally:
            self.open -= 1
            self._bytes -= assembly.size
        if not assembly.counts:
            return
        if assembly.over:
            self.record(assembly.exchange(), time.time())
        else:
            self._metrics.ended("incomplete")

    def record(self, exchange: Exchange | None, moment: float) -> None:
        """Makes rows of a whole exchange that was answered at `moment`, in seconds since 1970."""
        policy = self._policies(exchange.namespace, exchange.model) if exchange else None
        if exchange is None or policy is None or not exchange.revision:
            self._metrics.ended("unknown")
        elif not exchange.answered:
            self._metrics.ended("failed")
        elif exchange.cut:
            self._metrics.malformed("longer than what is kept of a body")
        else:
            try:
                inputs, outputs = decoded(exchange, self._limits.body_bytes)
            except Malformed as bad:
                self._metrics.malformed(str(bad))
                return
            self._keep(exchange, policy, moment, inputs, outputs)
            self._metrics.ended("recorded")

    async def _refuse(self, context: Any) -> None:
        self._metrics.ended("refused")
        await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests are being recorded")

    def _keep(
        self, exchange: Exchange, policy: CapturePolicy, moment: float, inputs: dict[str, Any], outputs: dict[str, Any]
    ) -> None:
        rows = rows_of(inputs)
        if rows == 0:
            return
        profile = policy.profiles.get(exchange.revision)
        dynamic = summed_up(profile) if profile is not None else frozenset[str]()
        table = {
            f"{side}.{name}": values
            for side, tensors in (("input", inputs), ("output", outputs))
            for name, values in policy.redaction.kept(columns_of(tensors, rows, dynamic)).items()
        }
        if table:
            table = {**_marks(exchange, moment, rows), **table}
        features = features_of(profile, inputs, outputs, rows) if profile is not None else {}
        recorded = RecordedRows(rows, table, features, profile, exchange.share)
        self._minutes.add(exchange.namespace, exchange.model, exchange.revision, moment, recorded)


def decoded(exchange: Exchange, limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays by tensor name, of the request and of the answer, bodies of at most `limit` bytes. Raises Malformed."""
    request = unpacked(exchange.request, exchange.request_encoding, limit)
    response = unpacked(exchange.response, exchange.response_encoding, limit)
    if exchange.grpc:
        return over_grpc(request, "inputs"), over_grpc(response, "outputs")
    return (
        over_http(request, exchange.request_header_length, "inputs"),
        over_http(response, exchange.response_header_length, "outputs"),
    )


def receiving(receiver: Receiver, address: str) -> tuple[Any, int]:
    """A gRPC server that is not yet started, and its port; `address` is HOST:PORT, port 0 for any free one."""
    options = (("grpc.max_receive_message_length", _MESSAGE_BYTES), ("grpc.so_reuseport", 0))
    server = grpc.aio.server(options=options)
    add_ExternalProcessorServicer_to_server(receiver, server)
    return server, server.add_insecure_port(address)


def _marks(exchange: Exchange, moment: float, rows: int) -> dict[str, Any]:
    request_id = np.empty(rows, object)
    request_id[:] = exchange.request_id
    return {
        "request_id": request_id,
        "row": np.arange(rows, dtype=np.int32),
        "time": np.full(rows, moment),
        "share": np.full(rows, exchange.share, np.int32),
    }
