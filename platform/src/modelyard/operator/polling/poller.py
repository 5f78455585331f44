"""One kind of question to one outside party: its answers are remembered, and asked for in the background.

    of --not asked yet--> Unanswered(pending), or what the asker knows from before
                                              --answer--> the answer, and whoever was told otherwise is woken
                                              --DEADLINE--> Unanswered(failure): it does not answer
    of --answer has grown old--> the old answer, or pending where an old one is worse than none; asked again meanwhile
    of --the call failed--> Unanswered(failure); asked again after 1, 2, 4, … LONGEST seconds, for whoever still asks

Whoever was woken for an answer gets it, however long he was waited for: where many are woken, an answer that is asked
for anew once it is old would be too old for every one of them, for ever.

`of` never waits. Nothing is asked for unless somebody has asked with `of`, so a Model that rests costs nothing.
"""

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from math import inf
from typing import Generic, NamedTuple, TypeVar

from modelyard.clients.deadline import within
from modelyard.core.snapshot import Failure
from modelyard.errors import OutsideError
from modelyard.operator.cache.objects import Key

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")

CHAIN_SECONDS = 4.0
"""What one question may take, however many calls it needs."""
DEADLINE = 6.0
"""Seconds after which a question without any answer counts as not answered, waiting for a thread included."""
REMEMBERED_SECONDS = 3600.0
_FIRST, _LONGEST = 1.0, 30.0
_log = logging.getLogger(__name__)

Wake = Callable[[Key, float], None]
"""Has a Model reconciled, so many seconds from now."""


class Unanswered(NamedTuple):
    """Why there is no answer; `failure.pending` while it is merely not there yet."""

    failure: Failure


@dataclass(frozen=True)
class Habits(Generic[A]):
    """How a kind of question is asked.

    `lasts` tells for how many seconds an answer is good, from when it was asked for, infinity for ever; `keeps` whether
    an older one stands until the next is there; `unsettled` which answers are asked for again by themselves; `chain`
    and `deadline` are CHAIN_SECONDS and DEADLINE; what nobody has asked for `remembered` seconds is dropped.
    """

    lasts: Callable[[A], float]
    keeps: bool = True
    unsettled: Callable[[A], bool] = lambda _: False
    chain: float = CHAIN_SECONDS
    deadline: float = DEADLINE
    remembered: float = REMEMBERED_SECONDS


@dataclass(eq=False)
class _State(Generic[A]):
    """One question: its latest answer, when it is due again, since when it is under way, who was told what, and who was
    woken for an answer and has not read it yet.
    """

    answer: A | Unanswered | None = None
    due: float = -inf
    since: float | None = None
    failures: int = 0
    used: float = 0.0
    told: dict[Key, A | Unanswered] = field(default_factory=dict)
    unread: set[Key] = field(default_factory=set)


class Poller(Generic[Q, A]):
    """Answers by question; safe to share between threads. `party` is who is asked, in words."""

    def __init__(
        self,
        party: str,
        ask: Callable[[Q], A],
        habits: Habits[A],
        submit: Callable[[Callable[[], None]], None],
        wake: Wake,
        clock: Callable[[], float],
    ) -> None:
        self._ask, self._habits, self._submit, self._wake, self._clock = ask, habits, submit, wake, clock
        self._party = party
        pending = f"{party} has been asked and has not answered yet."
        late = f"{party} has not answered for {habits.deadline:g} s; it is asked again."
        self._pending = Unanswered(Failure("Asking", pending, retry=True, pending=True))
        self._late = Unanswered(Failure("Unreachable", late, retry=True))
        self._lock = threading.Lock()
        self._states: dict[Q, _State[A]] = {}
        self._under_way: set[_State[A]] = set()

    def of(self, key: Key, question: Q, known: A | None = None) -> A | Unanswered:
        """What is known now. `key` is woken when there is another answer than this one.

        `known` is what it was before this process began: it stands until the first answer is there, or late.
        """
        with self._lock:
            now = self._clock()
            state = self._states.setdefault(question, _State())
            unread = state.answer if key in state.unread else None
            state.unread.discard(key)
            begins = state.since is None and now >= state.due and unread is None
            if begins:
                state.since = now
                self._under_way.add(state)
            answer = self._usable(state, now) if unread is None else unread
            if answer is self._pending and known is not None and state.answer is None:
                answer = known
            state.used, state.told[key] = now, answer
            rest = state.due - now if state.since is None and self._repeats(state.answer) else None
        if begins:
            self._submit(lambda: self._call(question, state))
        elif rest is not None:
            self._wake(key, rest)
        return answer

    def latest(self, question: Q) -> A | None:
        """The latest answer, however old; None when there is none. Asks for nothing."""
        with self._lock:
            state = self._states.get(question)
            if state is None or isinstance(state.answer, Unanswered):
                return None
            state.used = self._clock()
            return state.answer

    def forget(self, question: Q) -> None:
        """Drops the answer to a question nobody asks any more; one that is under way is dropped when it comes."""
        with self._lock:
            self._states.pop(question, None)

    def tick(self) -> None:
        """Wakes whoever waits for an answer that is late by now."""
        with self._lock:
            now, woken = self._clock(), list[Key]()
            for state in self._under_way:
                answer = self._usable(state, now)
                if answer is self._late:
                    woken += [key for key, before in state.told.items() if before != answer]
                    state.told = dict.fromkeys(state.told, answer)
        for key in woken:
            self._wake(key, 0.0)

    def forget_unused(self) -> None:
        """Drops what nobody has asked for long enough."""
        with self._lock:
            oldest = self._clock() - self._habits.remembered
            old = [one for one, state in self._states.items() if state.since is None and state.used < oldest]
            for question in old:
                del self._states[question]

    def _usable(self, state: _State[A], now: float) -> A | Unanswered:
        known = state.answer
        if known is not None and (self._habits.keeps or isinstance(known, Unanswered) or now < state.due):
            return known
        late = state.since is not None and now - state.since >= self._habits.deadline
        return self._late if late else self._pending

    def _repeats(self, answer: A | Unanswered | None) -> bool:
        return isinstance(answer, Unanswered) or (answer is not None and self._habits.unsettled(answer))

    def _call(self, question: Q, state: _State[A]) -> None:
        try:
            with within(self._habits.chain):
                answer: A | Unanswered = self._ask(question)
        except OutsideError as outside:
            answer = Unanswered(Failure(outside.reason, str(outside), retry=True))
        except Exception as defect:  # noqa: BLE001 - a defect of ours, which must not end the thread
            _log.exception("a question failed", extra={"fields": {"asked": self._party}})
            said = f"asking {self._party} failed: {type(defect).__name__} {defect}; the operator's log has more."
            answer = Unanswered(Failure("AskingFailed", said, retry=True))
        self._answered(question, state, answer)

    def _answered(self, question: Q, state: _State[A], answer: A | Unanswered) -> None:
        with self._lock:
            self._under_way.discard(state)
            if self._states.get(question) is not state:
                return
            failed = isinstance(answer, Unanswered)
            state.failures = state.failures + 1 if failed else 0
            pause = min(_LONGEST, _FIRST * 2.0 ** (state.failures - 1)) if failed else self._habits.lasts(answer)
            begun = state.since if state.since is not None and not self._repeats(answer) else self._clock()
            state.answer, state.due, state.since = answer, begun + pause, None
            told, state.told = state.told, {}
            if not (self._habits.keeps or failed):
                state.unread |= {key for key, before in told.items() if before != answer}
        for key, before in told.items():
            if before != answer:
                self._wake(key, 0.0)
            elif self._repeats(answer):
                self._wake(key, pause)
