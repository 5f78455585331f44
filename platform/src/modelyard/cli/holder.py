"""`modelyard holder`: the process that requests for Models at zero replicas wait in."""

import asyncio
import signal
from typing import Annotated

import typer

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import ListWatch
from modelyard.core.kinds import ENDPOINT_SLICE
from modelyard.errors import InvalidSettings
from modelyard.operator import json_logs


def holder(
    http_port: Annotated[int, typer.Option(help="Where the gateway's HTTP requests come.")] = 8080,
    grpc_port: Annotated[int, typer.Option(help="Where the gateway's gRPC calls come.")] = 9000,
    status_port: Annotated[int, typer.Option(help="/waiting, /healthz, /readyz and /metrics.")] = 9090,
    max_requests: Annotated[int, typer.Option(min=1, help="Requests that may wait for one revision.")] = 2000,
    max_bytes: Annotated[int, typer.Option(min=1, help="Bytes of their bodies together.")] = 64 * 1024 * 1024,
    max_wait: Annotated[float, typer.Option(min=0.1, help="Seconds that one request may wait.")] = 60.0,
    log_level: Annotated[
        str, typer.Option(envvar="MODELYARD_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Hold requests for Models at zero replicas until their first pod is ready."""
    json_logs.start(log_level.upper())
    try:
        from modelyard.holder.endpoint_slices import EndpointSlices
        from modelyard.holder.process import Holder, HolderPorts
        from modelyard.holder.waiting_room import Limits
    except ModuleNotFoundError as missing:
        raise InvalidSettings(f"{missing.name} is missing: pip install 'modelyard[holder]'.") from missing
    limits = Limits(max_requests, max_bytes, max_wait)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        slices = EndpointSlices(lambda: process.room.changed())
        watch = ListWatch(Cluster(access(), 2), ENDPOINT_SLICE, "", ENDPOINT_SLICE.label, slices)
        process = Holder(slices, limits, lambda: "" if watch.complete.is_set() else watch.trouble)
        watch.start()
        await process.start(HolderPorts(http_port, grpc_port, status_port))
        await stop.wait()
        await process.finish()
        watch.stop()

    asyncio.run(run())
