"""The last ten minutes of every Model's traffic, cut into slices.

Counts are due until a slice takes them, so a reading that is missing makes the next slice longer and loses nothing.
A Model with a rollout under way gets a slice with every reading, the others one in twenty seconds. Ten minutes of a
rollout need a megabyte at most, whatever the traffic, and those of a Model at rest a twentieth.
"""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import ClassVar

from modelyard.core.traffic import Counts, Reserved, TrafficWindow
from modelyard.operator.cache.objects import Key

from .counter_deltas import Increments, plus

KEPT_SECONDS = 600
KEPT_SLICES = 700
IDLE_SECONDS = 20


class Buckets(Mapping[float, int]):
    """`Counts.within` in a fifth of the memory of a dictionary: Envoy's bounds are the same every time."""

    __slots__ = ("_bounds", "_numbers")
    _shared: ClassVar[dict[tuple[float, ...], tuple[float, ...]]] = {}

    def __init__(self, within: Mapping[float, int]) -> None:
        bounds = tuple(sorted(within))
        self._bounds = self._shared.setdefault(bounds, bounds)
        self._numbers = array("Q", [within[bound] for bound in bounds])

    def __getitem__(self, bound: float) -> int:
        index = bisect_left(self._bounds, bound)
        if index == len(self._bounds) or self._bounds[index] != bound:
            raise KeyError(bound)
        return self._numbers[index]

    def __iter__(self) -> Iterator[float]:
        return iter(self._bounds)

    def __len__(self) -> int:
        return len(self._bounds)


class _Track:
    """One Model: its slices, where the last one ended, when at the latest it was asked before that, and what is due."""

    def __init__(self, end: int) -> None:
        self.end = self.asked = end
        self.due: dict[str, Counts] = {}
        self.slices: deque[TrafficWindow] = deque(maxlen=KEPT_SLICES)

    def cut(self, end: int, reserved: Reserved) -> None:
        """`reserved` is what pods reserve in a second."""
        slots = {slot: counts._replace(within=Buckets(counts.within)) for slot, counts in self.due.items()}
        seconds = end - self.end
        self.slices.append(TrafficWindow(end, seconds, slots, reserved.times(seconds)))
        if any(counts.requests for counts in self.due.values()):
            self.asked = end
        self.end, self.due = end, {}
        while self.slices[0].end <= end - KEPT_SECONDS:
            self.slices.popleft()


class TrafficWindows:
    """Slices by Model; only the Models last named are kept.

    `reserved` tells what a Model's pods reserve in a second, now: it counts for the whole slice that ends.
    """

    def __init__(self, reserved: Callable[[Key], Reserved] = lambda key: Reserved()) -> None:
        self._reserved = reserved
        self._tracks: dict[Key, _Track] = {}
        self._known: frozenset[Key] = frozenset()
        self._end = 0

    def keep(self, models: Collection[Key]) -> None:
        """Forgets all other Models; with none left, counting begins anew."""
        self._known = frozenset(models)
        for key in self._tracks.keys() - self._known:
            del self._tracks[key]
        if not self._known:
            self._end = 0

    def owe(self, increments: Increments) -> None:
        """Adds counts to the next slices; before the first `cut` they are dropped, as their beginning is unknown."""
        for key, slots in increments.items():
            if not self._end or key not in self._known:
                continue
            due = self._track(key).due
            for slot, counts in slots.items():
                due[slot] = plus(due[slot], counts) if slot in due else counts

    def recover(self, key: Key, begin: int, slots: Mapping[str, Counts]) -> None:
        """Adds to a Model's next slice what was counted from `begin` on, before this process began to read."""
        known = key in self._tracks
        track = self._track(key)
        track.end = track.end if known else begin
        for slot, counts in slots.items():
            track.due[slot] = plus(track.due[slot], counts) if slot in track.due else counts

    def restart(self, models: Collection[Key]) -> None:
        """What these have counted since their last slices is not known; their next slices begin now."""
        for track in [self._tracks[key] for key in models if key in self._tracks]:
            track.end, track.asked, track.due = self._end, self._end, {}

    def cut(self, end: int, active: Collection[Key], survey: bool) -> None:
        """Everything up to `end` is counted: slices for the active Models, after a survey for others, too.

        Those others get one whose time has come.
        """
        self._end = self._end or end
        for key in self._known - self._tracks.keys():
            self._track(key)
        for key in self._known if survey else self._known.intersection(active):
            track = self._track(key)
            if end >= track.end + (1 if key in active else IDLE_SECONDS):
                track.cut(end, self._reserved(key))
        self._end = max(self._end, end)

    def of(self, key: Key) -> tuple[TrafficWindow, ...]:
        """The slices of a Model, oldest first."""
        track = self._tracks.get(key)
        return tuple(track.slices) if track else ()

    def quiet(self, key: Key) -> float:
        """Seconds up to the end of a Model's newest slice in which it had no request, as far back as is known."""
        track = self._tracks.get(key)
        return float(track.end - track.asked) if track else 0.0

    def _track(self, key: Key) -> _Track:
        if key not in self._tracks:
            self._tracks[key] = _Track(self._end)
        return self._tracks[key]
