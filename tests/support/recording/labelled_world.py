"""Recorded hours of a Model in a store in memory, and labels for them."""

from datetime import UTC, datetime
from typing import Any

import numpy as np

from modelyard.api.monitoring.labels import AnswerLabel
from modelyard.api.monitoring.spec import Feedback
from modelyard.api.report import Quality, Report
from modelyard.core.storage.keys import build_report
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey, feedback_key
from modelyard.records.feedback.labels import to_file
from modelyard.records.feedback.performance import ModelQuality, quality_of
from modelyard.records.parquet import to_parquet
from tests.support.objects.memory_store import MemoryStore
from tests.support.objects.reports import WRITTEN

DIGEST = "sha256:" + "7" * 64
DAY = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp())
NOW = DAY // 60 + 4 * 1440


class LabelledWorld:
    """Recorded hours of a Model, and labels for them."""

    def __init__(self) -> None:
        self.bucket, self.chance, self._number = MemoryStore(), np.random.default_rng(3), 0

    def hour(
        self,
        at: int,
        wrong: float,
        rows: int = 60,
        labelled: bool = True,
        number: bool = False,
        revision: str = "loans-1",
    ) -> None:
        """Rows that were answered in the hour `at` after the first day's begin, a share of them wrong."""
        ids = np.array([f"r{self._number + one}" for one in range(rows)], object)
        self._number += rows
        truth = self.chance.integers(0, 2, rows)
        answer = np.where(self.chance.random(rows) < wrong, 1 - truth, truth)
        sure = np.where(answer == 1, 0.8, 0.2)
        outputs: dict[str, Any] = {"output.p[0]": 1 - sure, "output.p[1]": sure}
        if number:
            truth = self.chance.normal(100, 20, rows)
            outputs = {"output.price": truth + self.chance.normal(0, 1 + 9 * wrong, rows)}
        minute = DAY + at * 3600
        table = {
            "request_id": ids, "row": np.zeros(rows, np.int32), "time": minute + 60.0 * np.arange(rows),
            "share": np.ones(rows, np.int32), "input.sex": np.array(["f", "m"] * (rows // 2), object), **outputs,
        }  # fmt: skip
        self.bucket.put(MinuteKey("demo", "loans", revision, minute, "w").key(ROWS), to_parquet(table))
        if labelled:
            self.tell({request: str(label) for request, label in zip(ids, truth.tolist(), strict=True)})

    def tell(self, labels: dict[str, str], output: str = "") -> None:
        """Labels that come now."""
        told = [AnswerLabel(request, 0, output, label, float(DAY), float(DAY)) for request, label in labels.items()]
        self.bucket.put(feedback_key("demo", "loans", "2026-11-24", f"f{len(self.bucket.objects)}"), to_file(told))

    def evaluated(self, wrong: int, rows: int, metric: str = "accuracy") -> None:
        """The build measured this on its evaluation set."""
        quality = Quality(rows=rows, largest_difference={}, metric=metric, value=1 - wrong / rows)
        report = Report.model_validate(WRITTEN).model_copy(update={"quality": quality})
        self.bucket.put(build_report(DIGEST), report.model_dump_json(by_alias=True).encode())

    def quality(self, **asked: Any) -> ModelQuality:
        return quality_of(
            self.bucket, "demo", "loans", {"loans-1": DIGEST}, Feedback(**asked), "2026-11-01", NOW  # pyright: ignore
        )  # fmt: skip
