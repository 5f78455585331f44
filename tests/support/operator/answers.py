"""Outside parties that answer when the test says so: no threads, no waiting."""

from collections.abc import Callable
from typing import Any, TypeVar

from modelyard.operator.cache.objects import Key
from modelyard.operator.polling.polling import Polling
from tests.support.machine.fake_clock import Clock

T = TypeVar("T")
DIGITS = Key("demo", "digits")


class CallsByHand:
    """A pool whose calls are made by `answer`, in the test's own thread."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def submit(self, call: Callable[[], None]) -> None:
        self.waiting.append(call)

    def relieve(self) -> None: ...

    def close(self) -> None: ...

    def answer(self) -> int:
        """Everybody who was asked answers; how many were."""
        calls, self.waiting = self.waiting, []
        for call in calls:
            call()
        return len(calls)


class PollingByHand(Polling):
    """Polling with a clock that a test moves and answers that it lets come."""

    def __init__(self, clock: Callable[[], float] | None = None) -> None:
        self.calls = CallsByHand()
        self.clock = clock or Clock()
        self.woken: list[tuple[Key, float]] = []
        super().__init__(lambda key, after: self.woken.append((key, after)), self.clock, lambda _: self.calls)

    def answer(self) -> int:
        """Everybody who was asked answers; how many were."""
        return self.calls.answer()

    def settled(self, question: Callable[[], T]) -> T:
        """What is known once everybody has answered whom this question has asked."""
        known = question()
        while self.answer():
            known = question()
        return known


class Settled:
    """An observer whose methods give what is known once everybody has answered, about the Model `digits`."""

    def __init__(self, observer: Any, polling: PollingByHand) -> None:
        self.observer, self.polling = observer, polling

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.observer, name)
        return lambda *args: self.polling.settled(lambda: method(DIGITS, *args))
