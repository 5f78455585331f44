"""`modelyard operator`: the controller, until it is told to stop (SIGTERM or Ctrl-C)."""

import signal
import threading
from typing import Annotated

import typer

from modelyard.clients.cluster.access import access
from modelyard.clients.store import HURRIED, S3Store
from modelyard.operator import json_logs
from modelyard.operator.process import Library, Operator
from modelyard.registry.bucket import BucketRegistry
from modelyard.registry.synced import SyncedRegistry
from modelyard.settings import Settings


def operator(
    log_level: Annotated[
        str, typer.Option(envvar="MODELYARD_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Run the controller: watch Models and bring the cluster to what they say."""
    json_logs.start(log_level.upper())
    settings = Settings.read()
    store = S3Store(settings.store, HURRIED)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    process = Operator(settings, access(), Library(BucketRegistry(store), store, SyncedRegistry(store)))
    if not process.run(stop):
        raise typer.Exit(1)
