"""A graph of steps, each run as soon as what it needs is done.

Steps of the same lane run one at a time: two Go builds at once would only share the same two cores. The first
failure stops everything; it is what `run` raises.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from localcluster.errors import Stopped

from .task import Task

_MOMENT = 5.0
Work = Callable[[Task], str | None]


@dataclass(frozen=True)
class Step:
    """One step: `work` gets a Task and returns a short note such as "cached" (or nothing)."""

    name: str
    title: str
    work: Work
    needs: tuple[str, ...] = ()
    lane: str = ""


@dataclass
class Progress:
    """How far one step is: waiting, running, done or failed; seconds are wall time."""

    step: Step
    state: str = "waiting"
    note: str = ""
    began: float = 0.0
    ended: float = 0.0

    @property
    def seconds(self) -> float:
        if self.state == "waiting":
            return 0.0
        return (self.ended or time.monotonic()) - self.began


@dataclass
class Graph:
    """Runs steps; `changed` is told about every change of a step's progress."""

    steps: Sequence[Step]
    logs: Path
    changed: Callable[[Progress], None] = lambda _: None
    progress: dict[str, Progress] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = {step.name for step in self.steps}
        for step in self.steps:
            unknown = set(step.needs) - names
            if unknown:
                raise ValueError(f"step {step.name} needs unknown steps {sorted(unknown)}")
        self.progress = {step.name: Progress(step) for step in self.steps}

    def run(self) -> None:
        """Run everything; raises the first failure after all running steps have ended."""
        stop = threading.Event()
        ended: queue.Queue[tuple[str, BaseException | None]] = queue.Queue()
        failure: BaseException | None = None
        running = self._start_ready(stop, ended)
        try:
            while running:
                name, problem = ended.get()
                running -= 1
                self._end(name, problem)
                if problem and failure is None:
                    failure = problem
                    stop.set()
                if failure is None:
                    running += self._start_ready(stop, ended)
        except BaseException:
            stop.set()
            self._give_up(running, ended)
            raise
        if failure:
            raise failure

    def _give_up(self, running: int, ended: "queue.Queue[tuple[str, BaseException | None]]") -> None:
        """Give running steps a moment to end their programs."""
        with contextlib.suppress(queue.Empty):
            for _ in range(running):
                self._end(*ended.get(timeout=_MOMENT))

    def _end(self, name: str, problem: BaseException | None) -> None:
        progress = self.progress[name]
        progress.ended = time.monotonic()
        progress.state = "done" if problem is None else "stopped" if isinstance(problem, Stopped) else "failed"
        self.changed(progress)

    def _start_ready(self, stop: threading.Event, ended: "queue.Queue[tuple[str, BaseException | None]]") -> int:
        """Start every step that may run now; returns how many."""
        started = 0
        for step in self.steps:
            if self._may_start(step):
                progress = self.progress[step.name]
                progress.state, progress.began = "running", time.monotonic()
                self.changed(progress)
                threading.Thread(target=self._work, args=(step, stop, ended), daemon=True).start()
                started += 1
        return started

    def _may_start(self, step: Step) -> bool:
        if self.progress[step.name].state != "waiting":
            return False
        if any(self.progress[need].state != "done" for need in step.needs):
            return False
        busy = {other.step.lane for other in self.progress.values() if other.state == "running"}
        return not step.lane or step.lane not in busy

    def _work(self, step: Step, stop: threading.Event, ended: "queue.Queue[tuple[str, BaseException | None]]") -> None:
        progress = self.progress[step.name]

        def say(note: str) -> None:
            progress.note = note
            self.changed(progress)

        try:
            note = step.work(Task(self.logs / f"{step.name}.log", stop, say))
            progress.note = note or ""
            ended.put((step.name, None))
        except BaseException as defect:  # noqa: BLE001 - a thread must hand every failure to the one who waits
            ended.put((step.name, defect))
