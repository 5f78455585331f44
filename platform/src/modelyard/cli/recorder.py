"""`modelyard recorder`: the process that takes the gateway's copies of requests."""

import asyncio
import socket
from typing import Annotated

import typer

from modelyard.cli.stop_signal import stop_signal
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import ListWatch
from modelyard.clients.store import S3Store
from modelyard.core.kinds import MODEL
from modelyard.errors import InvalidSettings
from modelyard.operator import json_logs
from modelyard.settings import Settings


def recorder(
    log_level: Annotated[
        str, typer.Option(envvar="MODELYARD_LOG_LEVEL", help="debug, info, warning or error.")
    ] = "info",
) -> None:
    """Take the gateway's copies of requests and people's labels, and write what may be kept into the store."""
    json_logs.start(log_level.upper())
    try:
        from modelyard.recorder.feedback import FeedbackEndpoint
        from modelyard.recorder.label_batches import LabelBatches
        from modelyard.recorder.minutes import Minutes
        from modelyard.recorder.policies import ModelPolicies
        from modelyard.recorder.process import Recorder, RecorderPorts
        from modelyard.recorder.receiver import CaptureLimits, Receiver
        from modelyard.recorder.recorder_metrics import RecorderMetrics
    except ModuleNotFoundError as missing:
        raise InvalidSettings(f"{missing.name} is missing: pip install 'modelyard[recorder]'.") from missing
    settings = Settings.read()
    given = settings.recorder
    store, metrics = S3Store(settings.store), RecorderMetrics()
    policies = ModelPolicies(store, given.key.get_secret_value().encode())
    watch = ListWatch(Cluster(access(), 2), MODEL, "", "", policies)
    minutes = Minutes(socket.gethostname(), given.memory_bytes, metrics)
    batches = LabelBatches(socket.gethostname(), given.memory_bytes // 4)
    feedback = FeedbackEndpoint(policies.of, batches, metrics)
    limits = CaptureLimits(given.body_bytes, given.streams, given.memory_bytes)
    receiver = Receiver(policies.of, minutes, limits, metrics)

    async def run() -> None:
        stop = stop_signal()
        process = Recorder(
            receiver,
            minutes,
            feedback,
            store,
            metrics,
            lambda: "" if watch.complete.is_set() else watch.trouble,
            policies.days_of,
            read_again=policies.read_again,
        )
        watch.start()
        await process.start(RecorderPorts(given.grpc_port, given.status_port))
        await stop.wait()
        await process.finish()
        watch.stop()

    asyncio.run(run())
