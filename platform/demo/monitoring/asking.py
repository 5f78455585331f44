"""Somebody asks a Model all the time, through the gateway, and learns later what was right.

What was recorded (its answer says so) waits to be labelled; `hand_in` tells the platform what is known by now. Who asks
and how fast may change while it runs. Each request has a connection of its own: one that is older than the recording
is not recorded.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import httpx
import numpy as np

from demo.stage import DemoFailed
from modelyard.core.names import REVISION_HEADER

from .people import Batch

SAMPLED, REQUEST = "x-modelyard-sample", "x-request-id"
_MOST_LABELS = 5000
_PATIENCE_SECONDS = 30.0


class Asking:
    """Use as a context manager; it asks inside the block, `rate` requests a second at most.

    `right` and `asked` count rows by revision, since `count_anew`.
    """

    def __init__(self, gateway: str, namespace: str, model: str, people: Iterator[Batch], rate: float) -> None:
        self._address = f"{gateway.rstrip('/')}/{namespace}/{model}"
        self._infer = f"{self._address}/v2/models/{model}/infer"
        self.people, self.rate = people, rate
        self.requests = self.failures = self.labelled = 0
        self.last_failure = ""
        self.asked, self.right = Counter[str](), Counter[str]()
        self._waiting: list[dict[str, Any]] = []
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._ask_on, daemon=True)

    def __enter__(self) -> "Asking":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def waiting(self) -> int:
        """Recorded rows whose labels were not handed in yet."""
        with self._lock:
            return len(self._waiting)

    def count_anew(self) -> None:
        """Right answers count from now on."""
        with self._lock:
            self.asked.clear()
            self.right.clear()

    def share_right(self, revision: str = "") -> float:
        """Of the answers of a revision, or of all; nan without any."""
        with self._lock:
            asked = self.asked[revision] if revision else self.asked.total()
            right = self.right[revision] if revision else self.right.total()
        return right / asked if asked else float("nan")

    def hand_in(self) -> int:
        """Labels of all that waits, by POST /feedback; how many. Raises DemoFailed when they are not taken."""
        with self._lock:
            labels, self._waiting = self._waiting, []
        for at in range(0, len(labels), _MOST_LABELS):
            some = labels[at : at + _MOST_LABELS]
            try:
                answer = httpx.post(f"{self._address}/feedback", json=some, timeout=60, trust_env=False)
                answer.raise_for_status()
            except httpx.HTTPError as bad:
                with self._lock:
                    self._waiting = labels[at:] + self._waiting
                raise DemoFailed(f"labels were not taken: {bad}") from bad
            self.labelled += len(some)
        return len(labels)

    def _ask_on(self) -> None:
        due = time.monotonic()
        while not self._stop.is_set():
            try:
                self._ask(next(self.people))
            except httpx.HTTPError as bad:
                self.failures += 1
                self.last_failure = str(bad)
            self.requests += 1
            due = max(due + 1.0 / self.rate, time.monotonic() - 1.0)
            self._stop.wait(max(0.0, due - time.monotonic()))

    def _ask(self, batch: Batch) -> None:
        data, shape = batch.rows.ravel().tolist(), list(batch.rows.shape)
        asked = {"inputs": [{"name": "input", "datatype": "FP32", "shape": shape, "data": data}]}
        answer = httpx.post(self._infer, json=asked, timeout=_PATIENCE_SECONDS, trust_env=False)
        answer.raise_for_status()
        outputs = {one["name"]: one["data"] for one in answer.json()["outputs"]}
        right = int((np.asarray(outputs["label"]) == batch.truth).sum())
        revision = answer.headers.get(REVISION_HEADER, "")
        told = [
            {"requestId": answer.headers[REQUEST], "row": row, "label": int(label)}
            for row, label in enumerate(batch.truth)
            if SAMPLED in answer.headers
        ]
        with self._lock:
            self.asked[revision] += len(batch.truth)
            self.right[revision] += right
            self._waiting += told
