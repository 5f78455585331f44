"""`modelyard nodecache`: the process that keeps builds on a node, for the pods of Models there."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from modelyard.api.quantity import amount
from modelyard.cli.stop_signal import stop_signal
from modelyard.errors import InvalidSettings
from modelyard.operator import json_logs
from modelyard.settings import Settings

_LEAST = 1 << 20


def nodecache(
    folder: Annotated[Path, typer.Option(envvar="MODELYARD_NODE_CACHE_FOLDER", help="Volume that files are kept in.")],
    keys: Annotated[
        Path,
        typer.Option(
            envvar="MODELYARD_NODE_CACHE_KEYS",
            help="Folder with accessKeyId and secretAccessKey, keys that read the store, as a mounted Secret has them.",
        ),
    ],
    size: Annotated[
        str, typer.Option(envvar="MODELYARD_NODE_CACHE_SIZE", help="Size of that volume, such as 10Gi.")
    ] = "10Gi",
    log_level: Annotated[
        str, typer.Option(envvar="MODELYARD_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Keep builds on this node, so that pods of Models download each of them from the store once."""
    json_logs.start(log_level.upper())
    try:
        from modelyard.node_cache.process import NodeCache, NodeCachePorts
    except ModuleNotFoundError as missing:
        raise InvalidSettings(f"{missing.name} is missing: pip install 'modelyard[holder]'.") from missing

    async def run() -> None:
        stop = stop_signal()
        process = NodeCache(Settings.read().store, keys, folder, _bytes(size))
        await process.start(NodeCachePorts())
        await stop.wait()
        await process.finish()

    asyncio.run(run())


def _bytes(size: str) -> int:
    """The bytes that a size such as 10Gi means; raises InvalidSettings when it means none."""
    try:
        found = int(amount(size))
    except ValueError:
        found = 0
    if found < _LEAST:
        raise InvalidSettings(f"--size {size!r} is no size of a volume: write one such as 10Gi.")
    return found
