"""`python -m tests.support.recording.program COLUMNS REDACT`: a recorder of the Model demo/double alone.

It prints its ports as a line of JSON, writes into the store that the environment names, and ends on SIGTERM.
"""

import asyncio
import json
import signal
import sys

from modelyard.clients.store import S3Store
from modelyard.recorder.feedback import FeedbackEndpoint
from modelyard.recorder.label_batches import LabelBatches
from modelyard.recorder.minutes import Minutes
from modelyard.recorder.process import Recorder, RecorderPorts
from modelyard.recorder.receiver import CaptureLimits, CapturePolicy, Receiver
from modelyard.recorder.recorder_metrics import RecorderMetrics
from modelyard.recorder.redaction import Redaction
from modelyard.settings import Settings


async def main(columns: str, redact: str) -> None:
    """Runs until it is told to stop."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    metrics = RecorderMetrics()
    minutes = Minutes("w", 10**7, metrics)
    policy = CapturePolicy(
        Redaction(frozenset(columns.split(",")), frozenset(redact.split(",")) - {""}, b"key"), labelled=True
    )
    policies = {("demo", "double"): policy}

    def policy_of(namespace: str, model: str) -> CapturePolicy | None:
        return policies.get((namespace, model))

    receiver = Receiver(policy_of, minutes, CaptureLimits(), metrics)
    feedback = FeedbackEndpoint(policy_of, LabelBatches("w", 10**6), metrics)
    process = Recorder(
        receiver, minutes, feedback, S3Store(Settings.read().store), metrics, lambda: "", lambda *_: 30, "127.0.0.1"
    )
    await process.start(RecorderPorts(0, 0, 0))
    print(json.dumps([process.ports.grpc, process.ports.status, process.ports.feedback]), flush=True)
    await stop.wait()
    await process.finish()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
