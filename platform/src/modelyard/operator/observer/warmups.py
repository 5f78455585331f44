"""Warm-ups: the latest answer of every revision, in memory only; a restarted operator asks again.

An answer is dropped with its revision. A failed warm-up is repeated after a short pause, for as long as decisions ask
for it. The first inference of a large model may take long, so it has more time than other questions; those behind it
do not wait for that (`CallThreads`).
"""

import logging
import threading
from collections.abc import Callable, Collection
from math import inf
from typing import NamedTuple, Protocol

from modelyard.clients.deadline import within
from modelyard.core.plan import Warmup
from modelyard.core.snapshot import Probe
from modelyard.errors import ModelyardError
from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.poller import CHAIN_SECONDS, Habits
from modelyard.operator.polling.polling import Polling

PAUSE_SECONDS = 1.5
_HABITS = Habits[Probe](
    lambda probe: inf if probe.answered else PAUSE_SECONDS,
    unsettled=lambda probe: not probe.answered,
    chain=inf,
    deadline=inf,
)
_log = logging.getLogger(__name__)


class InferenceClient(Protocol):
    """Sends warm-up inferences through the gateway."""

    def ask(self, model: str, host: str, revision: str, request: bytes) -> Probe: ...


class _Question(NamedTuple):
    key: Key
    warmup: Warmup


class Warmups:
    """Warm-ups by Model and revision; safe to share between threads.

    `request` gives the body for a build's digest and raises ModelyardError without one; `done` is told of every answer.
    """

    def __init__(
        self,
        request: Callable[[str], bytes],
        gateway: InferenceClient,
        polling: Polling,
        done: Callable[[bool], None],
    ) -> None:
        self._request, self._gateway, self._done = request, gateway, done
        self._answers = polling.poller("the gateway", self._answer, _HABITS)
        self._lock = threading.Lock()
        self._asked: dict[Key, dict[str, _Question]] = {}

    def ask(self, key: Key, warmup: Warmup) -> None:
        """Has a revision asked, unless it is being asked already; the answer is in `of` later and wakes the Model."""
        question = _Question(key, warmup)
        with self._lock:
            self._asked.setdefault(key, {})[warmup.revision] = question
        self._answers.of(key, question)

    def of(self, key: Key) -> dict[str, Probe]:
        """The latest answers of a Model's revisions."""
        with self._lock:
            asked = dict(self._asked.get(key, {}))
        probes = {revision: self._answers.latest(question) for revision, question in asked.items()}
        return {revision: probe for revision, probe in probes.items() if probe is not None}

    def retain(self, key: Key, revisions: Collection[str]) -> None:
        """Drops the answers of all other revisions of a Model."""
        with self._lock:
            asked = self._asked.pop(key, {})
            kept = {revision: question for revision, question in asked.items() if revision in revisions}
            if kept:
                self._asked[key] = kept
        for question in asked.values():
            if question.warmup.revision not in kept:
                self._answers.forget(question)

    def _answer(self, question: _Question) -> Probe:
        warmup = question.warmup
        try:
            with within(CHAIN_SECONDS):
                request = self._request(warmup.digest)
            probe = self._gateway.ask(warmup.model, warmup.host, warmup.revision, request)
        except ModelyardError as error:
            probe = Probe(False, f"its request could not be read from the store: {error}")
        self._done(probe.answered)
        if probe != self._answers.latest(question):
            model = "/".join(question.key)
            fields = {"model": model, "revision": warmup.revision, "answered": probe.answered, "said": probe.message}
            _log.info("warm-up", extra={"fields": fields})
        return probe
