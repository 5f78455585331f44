"""Times variants against each other so that the figures can be compared.

Every variant stays warm in a process of its own; only one of them works at a time. A round gives each its turn, in
an order shuffled by the seed, so that whatever drifts (temperature, other programs) meets all of them alike, and
ratios are taken within a round. The figures of a variant:

    p50, p99   of all its inferences at a batch size, milliseconds; n of them
    spread     interquartile range of the rounds' medians over p50
    speedup    median over the rounds of  (median of the first subject) / (median of this one)  at batch 1
               (its own spread likewise)
    throughput median over the rounds of rows / mean time, at the better batch size

Measuring starts when the machine is quiet, or after some patience; what others used meanwhile is recorded.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from modelyard.api.optimization import Latency

from .host_load import MOST, read, wait_until_quiet
from .probe import LEAST, WARM_UP
from .worker import PROBE, Worker, WorkerLost

LEAST_ROUNDS, MOST_ROUNDS = 3, 11
LEAST_TURN = 0.02
TURN = 0.2
PATIENCE = 20.0


@dataclass(frozen=True)
class Subject:
    """A variant to time; `program` is the module that keeps it warm, which talks as `probe` does."""

    name: str
    model: Path
    program: str = PROBE


@dataclass(frozen=True)
class BenchmarkPlan:
    """How to time.

    `inputs` is an .npz by tensor name, `batches` are rows an inference, `deadline` is on time.monotonic's clock; a turn
    lasts `turn` seconds, and a quiet machine is awaited for at most `patience` seconds.
    """

    inputs: Path
    batches: tuple[int, ...]
    batchable: bool
    threads: int
    seed: int
    deadline: float
    gpu: bool = False
    patience: float = PATIENCE
    turn: float = TURN
    rounds: int = MOST_ROUNDS

    def start(self, subject: Subject, path: Path) -> Worker:
        """The subject in a process of its own; its job is written to `path`, and its errors beside that."""
        facts = {"inputs": str(self.inputs), "threads": self.threads, "gpu": self.gpu, "batchable": self.batchable}
        return Worker(subject.program, {"model": str(subject.model), **facts}, path, self.deadline)


@dataclass(frozen=True)
class Timing:
    """What was measured of one subject: latency in milliseconds by batch size, rows a second, peak memory in bytes."""

    latency: Mapping[int, Latency]
    throughput: float
    speedup: float
    speedup_spread: float
    peak_memory: int


@dataclass(frozen=True)
class BenchmarkResult:
    """Timings by subject, why others have none (`lost`), and the share of the cores that others used meanwhile."""

    timings: Mapping[str, Timing]
    lost: Mapping[str, str]
    rounds: int
    quiet: bool
    other_load: float


@dataclass
class _Samples:
    """Milliseconds by batch size and round."""

    rounds: dict[int, list[list[float]]] = field(default_factory=dict)

    def medians(self, rows: int) -> list[float]:
        return [median(times) for times in self.rounds[rows]]


def measure(
    subjects: Sequence[Subject], plan: BenchmarkPlan, scratch: Path, tell: Callable[[str], None] = lambda _: None
) -> BenchmarkResult:
    """Times all subjects in turns; speed-ups refer to the first.

    Job files and errors of the processes are left in `scratch`; `tell` gets what happens as a sentence. A subject that
    fails is named in the result's `lost`, and the others go on: nothing is raised for it.
    """
    workers: dict[str, Worker] = {}
    lost: dict[str, str] = {}
    try:
        for place, subject in enumerate(subjects):
            workers[subject.name] = plan.start(subject, scratch / f"{place}.json")
        _open(workers, lost)
        _warm(workers, plan, lost)
        tell("waiting for a quiet machine")
        others_before = wait_until_quiet(min(plan.patience, max(0.0, (plan.deadline - time.monotonic()) / 4)))
        before = read([worker.pid for worker in workers.values()])
        samples, rounds = _rounds(workers, plan, lost, tell)
        others_meanwhile = before.others(read([worker.pid for worker in workers.values()]))
        peaks = {name: worker.finish() for name, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.end()
    first = samples.get(subjects[0].name)
    timings = {name: _timing(own, first or own, peaks.get(name, 0)) for name, own in samples.items()} if rounds else {}
    return BenchmarkResult(timings, lost, rounds, others_before <= MOST and others_meanwhile <= MOST, others_meanwhile)


def round_seconds(row: float, batches: Sequence[int]) -> float:
    """Least seconds that one subject takes in a round, when one row takes `row` seconds in a batch."""
    return sum(max(LEAST_TURN, 1.5 * (WARM_UP + LEAST) * rows * row) for rows in batches)


def _open(workers: dict[str, Worker], lost: dict[str, str]) -> None:
    """Waits until every worker has opened its model; they do so side by side."""
    for name in list(workers):
        try:
            workers[name].opened()
        except WorkerLost as bad:
            lost[name] = str(bad)
            workers.pop(name).end()


def _warm(workers: dict[str, Worker], plan: BenchmarkPlan, lost: dict[str, str]) -> None:
    """A turn that does not count, at every batch size: caches, thread pools, lazy kernels."""
    for name in list(workers):
        for rows in plan.batches:
            _turn(workers, name, rows, min(0.05, plan.turn), lost)


def _rounds(
    workers: dict[str, Worker], plan: BenchmarkPlan, lost: dict[str, str], tell: Callable[[str], None]
) -> tuple[dict[str, _Samples], int]:
    """Samples of all that lasted, from the rounds that were complete when the time was up."""
    shuffler, samples, done = random.Random(plan.seed), {name: _Samples() for name in workers}, 0  # noqa: S311
    while done < plan.rounds and workers and time.monotonic() < plan.deadline:
        tell(f"round {done + 1} of {plan.rounds}")
        times: dict[tuple[str, int], list[float]] = {}
        names = sorted(workers)
        shuffler.shuffle(names)
        for name in names:
            for rows in plan.batches:
                if name in workers and time.monotonic() < plan.deadline:
                    times[name, rows] = _turn(workers, name, rows, plan.turn, lost)
        if any((name, rows) not in times for name in workers for rows in plan.batches):
            break
        for name in workers:
            for rows in plan.batches:
                samples[name].rounds.setdefault(rows, []).append(times[name, rows])
        done += 1
    return {name: samples[name] for name in workers}, done


def _turn(workers: dict[str, Worker], name: str, rows: int, seconds: float, lost: dict[str, str]) -> list[float]:
    if name not in workers:
        return []
    try:
        return workers[name].turn(rows, seconds)
    except WorkerLost as bad:
        lost[name] = str(bad)
        workers.pop(name).end()
        return []


def _timing(samples: _Samples, first: _Samples, peak: int) -> Timing:
    latency = {rows: _latency(rounds) for rows, rounds in samples.rounds.items()}
    rates = [
        median(1000 * rows * len(times) / sum(times) for times in rounds) for rows, rounds in samples.rounds.items()
    ]
    lowest = min(samples.rounds)
    ratios = [a / b for a, b in zip(first.medians(lowest), samples.medians(lowest), strict=True)]
    return Timing(latency, max(rates), median(ratios), _spread(ratios), peak)


def _latency(rounds: Sequence[Sequence[float]]) -> Latency:
    values = sorted(value for times in rounds for value in times)
    middle = median(values)
    return Latency(
        p50=middle,
        p99=values[min(len(values) - 1, int(0.99 * len(values)))],
        n=len(values),
        spread=_spread([median(times) for times in rounds]),
    )


def _spread(values: Sequence[float]) -> float:
    """Interquartile range over the median; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    low, middle, high = quantiles(values, n=4, method="inclusive")
    return (high - low) / middle
