"""What an evaluator and a recorder say of a Model whose rows are recorded: written by their own collectors.

Half an hour of rows is in a store in memory, and the evaluator has gone through it; of `age` more and more rows have
no value, but not enough for an alarm yet.
"""

from typing import Any

import numpy as np

from modelyard.api.monitoring.spec import Monitoring
from modelyard.core.conditions import timestamp
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import COUNTS, MinuteKey
from modelyard.evaluator.evaluator_metrics import EvaluatorMetrics
from modelyard.evaluator.recorded_models import RecordedRevision
from modelyard.evaluator.revision_evaluation import RevisionEvaluation
from modelyard.recorder.recorder_metrics import OUTCOMES, RecorderMetrics
from modelyard.records.counting import counts_by_minute
from modelyard.records.reference import profile_of_table
from modelyard.records.values import ColumnValues, column
from tests.support.objects.memory_store import MemoryStore

DIGEST = "sha256:" + "1" * 64
_MINUTES, _ROWS = 30, 100


class RecordedRows:
    """Both processes' expositions; the recorder's counters rise with every look."""

    def __init__(self, namespace: str, model: str, revision: str, now: float) -> None:
        self._evaluator = EvaluatorMetrics(lambda: [evaluation])
        self._recorder = RecorderMetrics()
        store, chance = MemoryStore(), np.random.default_rng(7)
        profile = profile_of_table(list(_rows(4000, 0.01, chance).values()), "eval.npz of digits:1")
        store.put(build_profile(DIGEST), profile.model_dump_json(by_alias=True).encode())
        minute = int(now // 60) - 2
        for at in range(_MINUTES):
            rows = _rows(_ROWS, 0.01 + at / 1000, chance)
            [counts] = counts_by_minute(profile, rows, np.full(_ROWS, minute - at))
            key = MinuteKey(namespace, model, revision, 60 * (minute - at), "recorder-1").key(COUNTS)
            store.put(key, counts.model_dump_json(by_alias=True, exclude_defaults=True).encode())
        recorded = RecordedRevision(namespace, model, revision, DIGEST, Monitoring.model_validate({"sample": "auto"}))
        evaluation = RevisionEvaluation(store, recorded)
        while evaluation.step(now):
            pass  # a day is gone through in several steps

    def text(self, of: str) -> str:
        """What the evaluator or the recorder says."""
        if of == "evaluator":
            return self._evaluator.text().decode()
        for outcome in OUTCOMES:
            self._recorder.ended(outcome)
        self._recorder.labels("stored", 3)
        return self._recorder.text().decode()


def monitoring_status(revision: str, now: float) -> dict[str, Any]:
    """`status.monitoring` of a Model of which one feature drifted, and whose answers have labels."""
    since = timestamp(now - 3600)
    drifted = {"name": "job", "kind": "shape", "since": since, "message": "another mix", "shift": 0.21}
    measures = [
        {"name": name, "output": "class", "labels": 600, "value": value}
        for name, value in (("accuracy", 0.91), ("f1", 0.88), ("auc", 0.95))
    ]
    return {
        "revision": revision,
        "time": timestamp(now),
        "data": {"verdict": "DriftDetected", "features": 2, "drifted": 1, "worst": [drifted]},
        "performance": {"verdict": "PerformanceKept", "labels": 600, "measures": measures},
    }


def retraining_status(revision: str, now: float) -> dict[str, Any]:
    """`status.retraining` of the same Model: the last one brought nothing, and the next waits."""
    began, ended = timestamp(now - 7200), timestamp(now - 6600)
    last = {"id": began, "causes": ["drift"], "revision": revision, "version": "1", "startTime": began}
    last |= {"endTime": ended, "outcome": "Refused"}
    told = {"state": "Waiting", "reason": "TooSoon", "message": "", "since": ended, "last": last, "failures": 1}
    return {**told, "month": ended[:7], "cpuHours": 0.5}


def _rows(rows: int, missing: float, chance: np.random.Generator) -> dict[str, ColumnValues]:
    ages = np.where(chance.random(rows) < missing, np.nan, chance.normal(40, 12, rows))
    jobs = chance.choice(np.array(["clerk", "cook", "driver"], object), rows)
    return {"age": column("age", ages), "job": column("job", jobs)}
