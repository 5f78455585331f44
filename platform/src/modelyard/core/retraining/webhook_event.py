"""What a webhook is told: one JSON object, the same for the same retraining however often it has to be sent."""

from modelyard.api.lifecycle.retraining_status import RetrainingRun
from modelyard.api.model import Model
from modelyard.core.names import canonical_json

EVENT_HEADER, SIGNATURE_HEADER = "x-modelyard-event", "x-modelyard-signature"


def event_body(model: Model, run: RetrainingRun) -> bytes:
    """The body: `id` tells repetitions of one event; `version` of `entry` is what serves."""
    event = {
        "id": run.id,
        "namespace": model.namespace,
        "model": model.name,
        "entry": model.spec.source.name,
        "version": run.version,
        "revision": run.revision,
        "causes": [cause.value for cause in run.causes],
        "evidence": run.evidence,
        "time": run.start_time,
    }
    return canonical_json(event).encode()
