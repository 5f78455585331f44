"""`modelyard holder`: the process that requests for Models at zero replicas wait in."""

import asyncio
from typing import Annotated

import typer

from modelyard.cli.stop_signal import stop_signal
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import ListWatch
from modelyard.core.kinds import BY_NAME
from modelyard.core.names import REVISION_LABEL
from modelyard.errors import InvalidSettings
from modelyard.operator import json_logs
from modelyard.settings import Settings


def holder(
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
    settings = Settings.read().holder
    limits = Limits(settings.max_requests, settings.max_bytes, settings.max_wait_seconds)
    ports = HolderPorts(settings.http_port, settings.grpc_port, settings.status_port)

    async def run() -> None:
        stop = stop_signal()
        slices = EndpointSlices(lambda held: process.room.changed(held))
        watch = ListWatch(Cluster(access(), 2), BY_NAME["EndpointSlice"], "", REVISION_LABEL, slices)
        process = Holder(slices, limits, lambda: "" if watch.complete.is_set() else watch.trouble)
        watch.start()
        await process.start(ports)
        await stop.wait()
        await process.finish()
        watch.stop()

    asyncio.run(run())
