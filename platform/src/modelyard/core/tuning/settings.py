"""What a Triton may be told about running a model on CPUs, and which settings lie next to one another.

    instances   requests (or batches) that are run at the same time
    threads     threads of each; instances x threads never exceed the CPUs
    batch       rows that are run together at most; 1: requests are never put together
    delay       microseconds a request waits for others

`batch` bounds what the server puts together, never what a client may send: that stays the model's max_batch_size.
"""

from dataclasses import dataclass, replace

_DELAYS = (0.05, 0.2)
"""Longest waits for others that are tried, as shares of the time an answer may take."""


@dataclass(frozen=True, order=True)
class ServerSettings:
    """One point of the space."""

    instances: int
    threads: int
    batch: int = 1
    delay: int = 0

    def __str__(self) -> str:
        together = "alone" if self.batch == 1 else f"up to {self.batch} rows together"
        waiting = f", waiting {self.delay} µs" if self.delay else ""
        return f"{_count(self.instances, 'instance')} of {_count(self.threads, 'thread')}, {together}{waiting}"


@dataclass(frozen=True)
class SettingsSpace:
    """What may be tried: settings within `cpus` cores, `largest` rows together, delays in microseconds.

    `usual` is what is served without tuning.
    """

    cpus: int
    largest: int
    delays: tuple[int, ...]
    usual: ServerSettings

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of instances and of threads that are tried: 1, 2, 4, ... and the CPUs."""
        return _doublings(self.cpus)

    @property
    def batches(self) -> tuple[int, ...]:
        """Rows together that are tried: 1, 2, 4, ... and the largest."""
        return _doublings(self.largest)

    def everything(self) -> tuple[ServerSettings, ...]:
        """The whole grid; a delay only where requests are put together."""
        return tuple(
            ServerSettings(instances, threads, batch, delay)
            for instances in self.counts
            for threads in self.counts
            if instances * threads <= self.cpus
            for batch in self.batches
            for delay in (self.delays if batch > 1 else (0,))
        )

    def ways_to_use_cores(self) -> tuple[tuple[int, int], ...]:
        """(instances, threads) that differ most: all cores as instances, half of both, all as threads, one alone."""
        half = max(count for count in self.counts if count * count <= self.cpus)
        return ((self.cpus, 1), (half, self.cpus // half), (1, self.cpus), (1, 1))

    def longer_delays(self, settings: ServerSettings) -> list[ServerSettings]:
        """The same with a longer delay, the shortest first; none where requests are not put together."""
        longer = [delay for delay in self.delays if delay > settings.delay and settings.batch > 1]
        return [replace(settings, delay=delay) for delay in longer]

    def neighbours(self, settings: ServerSettings) -> list[ServerSettings]:
        """Settings one step away: cores, then batches, then delays."""
        at = settings
        threads, instances = _beside(self.counts, at.threads), _beside(self.counts, at.instances)
        cores = [(at.instances, count) for count in threads] + [(count, at.threads) for count in instances]
        cores += [(more, fewer) for more in instances for fewer in threads]
        steps = [
            *(replace(at, instances=more, threads=fewer) for more, fewer in cores if more * fewer <= self.cpus),
            *(replace(at, batch=batch) for batch in _beside(self.batches, at.batch)),
            *(replace(at, delay=delay) for delay in _beside(self.delays, at.delay)),
        ]
        return [step for step in map(self.without_idle_delay, steps) if step != settings]

    @staticmethod
    def without_idle_delay(settings: ServerSettings) -> ServerSettings:
        """The same without a delay where nothing is put together."""
        return replace(settings, delay=0) if settings.batch == 1 else settings


def _doublings(most: int) -> tuple[int, ...]:
    """1, 2, 4, ... and `most` itself."""
    return tuple(sorted({2**power for power in range(most.bit_length()) if 2**power <= most} | {most}))


def _beside(values: tuple[int, ...], value: int) -> list[int]:
    """The values next to one: below, then above."""
    below = [other for other in values if other < value][-1:]
    return below + [other for other in values if other > value][:1]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def space_of(usual: ServerSettings, cpus: int, largest: int, threshold: float) -> SettingsSpace:
    """The space for a model that is served as `usual` now; delays are shares of the `threshold`, in seconds."""
    return SettingsSpace(cpus, largest, (0, *(round(threshold * 1e6 * share) for share in _DELAYS)), usual)
