"""`modelyard evaluator`: the process that says of every recorded revision whether its rows are as they were."""

import signal
import threading
from typing import Annotated

import typer

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import ListWatch
from modelyard.clients.store import HURRIED, S3Store
from modelyard.core.kinds import MODEL
from modelyard.evaluator.process import Evaluator
from modelyard.evaluator.recorded_models import RecordedModels
from modelyard.operator import json_logs
from modelyard.operator.http_endpoints import Endpoints
from modelyard.settings import Settings

_KEEPING_SECONDS = 30.0


def evaluator(
    log_level: Annotated[
        str, typer.Option(envvar="MODELYARD_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Say of every recorded revision whether its rows are still like the reference."""
    json_logs.start(log_level.upper())
    settings, models = Settings.read(), RecordedModels()
    watch = ListWatch(Cluster(access(), 2), MODEL, "", "", models)

    def trouble() -> str:
        return "" if watch.complete.is_set() else watch.trouble

    process = Evaluator(S3Store(settings.store, HURRIED), models.revisions, trouble)
    endpoints = Endpoints(
        settings.recorder.status_port, process.metrics.text, process.healthy, process.ready, process.ready, lambda: ""
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    endpoints.start()
    watch.start()
    process.start()
    while process.alive and not stop.wait(1.0):
        pass
    alive = process.alive
    process.finish(_KEEPING_SECONDS)
    watch.stop()
    endpoints.stop()
    if not alive:
        raise typer.Exit(1)
