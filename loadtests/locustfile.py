"""Locust's side of a load test: users that keep a rate, a shape that ends it, and the verdict when it has ended.

    locust -f loadtests/locustfile.py --headless --host http://ADDRESS --model NAME --request warmup.json --rate 20

The shape of the load says when every request is due (`arrivals.py`), and whichever user is free takes the next: an open
loop as long as one is. When none is, what is owed is sent as soon as one has its answer, and the load ends only when
all of it was sent, or some seconds after its time. Exit code 0: passed, 1: not passed, 2: no verdict.

The first lines matter: Locust's import turns the standard library's waiting into gevent's, and gRPC's has to follow
before anything of it is used, or all users wait while one does.
"""

import itertools
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import gevent
import grpc.experimental.gevent as grpc_gevent
from locust import LoadTestShape, User, events, runners, task
from locust.runners import MasterRunner, WorkerRunner

grpc_gevent.init_gevent()
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Locust knows only the folder of this file

from loadtests.arrivals import Due  # noqa: E402
from loadtests.asking import Asker, asker  # noqa: E402
from loadtests.ending import NO_VERDICT, end, give_up  # noqa: E402
from loadtests.judging import Unusable  # noqa: E402
from loadtests.options import Options, declare, parsed  # noqa: E402
from loadtests.parts import missed_by  # noqa: E402
from loadtests.recording import PROTOCOLS, Recording, Row  # noqa: E402

runners.HEARTBEAT_LIVENESS = 30  # seconds: a worker on a busy machine is late, not gone

_HEARTBEAT_SECONDS = 0.05
_BEATS_A_SAMPLE = 20
_REPORT_SECONDS = 4.0
_FOREVER = 86_400.0
_STOP_SECONDS = 15
_LEAD_SECONDS = 1.0
"""From the first user to the first request: all are connected by then."""
_NOT_THERE = ("HTTP 404", "gRPC UNAVAILABLE", "gRPC UNIMPLEMENTED", "gRPC NOT_FOUND")


class Run:
    """The load test under way in this process."""

    options: ClassVar[Options]
    recording: ClassVar[Recording]
    stopped: ClassVar[float] = 0.0
    started: ClassVar[float] = 0.0
    plan: ClassVar[Iterator[Due]] = iter(())

    @classmethod
    def start(cls) -> float:
        """When the load of this process begins, by the clock of `time.perf_counter`."""
        if not cls.started:
            cls.started = time.perf_counter() + _LEAD_SECONDS
            cls.recording.starts.append(time.time() + _LEAD_SECONDS)
        return cls.started


class InferenceUser(User):
    """One connection over each protocol, which send whatever is due next that no other user has taken."""

    due: Due
    open = False

    def on_start(self) -> None:
        self.askers: dict[str, Asker] = {one: asker(one, Run.options) for one in Run.options.protocols}
        self.began = Run.start()
        gevent.sleep(random.random() * _LEAD_SECONDS / 2)  # noqa: S311 - spreads load, guards nothing
        for one in self.askers.values():
            one.ask()  # opens the connection, which is not what is measured
        gevent.sleep(self.wait_time())

    def on_stop(self) -> None:
        Run.recording.owed += [self.due.at] if self.open else []
        Run.recording.owed += [due.at for due in Run.plan]  # nothing is left of it for the user after this one
        for one in self.askers.values():
            one.close()

    def wait_time(self) -> float:
        due = next(Run.plan, None)
        if due is None:
            Run.recording.resting += 1
            return _FOREVER
        self.open = True
        self.due, self.taken = due, time.perf_counter()
        return max(0.0, self.began + self.due.at - time.perf_counter())

    @task
    def infer(self) -> None:
        protocol, planned = PROTOCOLS[self.due.share], self.began + self.due.at
        sent = time.perf_counter()
        answer = self.askers[protocol].ask(self.due.number)
        took, late, own = (
            max(0.0, span) * 1000.0
            for span in (time.perf_counter() - sent, sent - planned, sent - max(planned, self.taken))
        )
        row = Row(self.due.at, self.due.share, took, late, own, answer.why != "", answer.revision)
        Run.recording.add(row, answer.why)
        self.open = False
        if not answer.why and Run.options.revision not in ("", answer.revision):
            Run.recording.strangers[answer.revision or "an unnamed backend"] += 1
        self.environment.events.request.fire(
            request_type=protocol,
            name="infer",
            response_time=took,
            response_length=0,
            exception=RuntimeError(answer.why) if answer.why else None,
            context={},
        )


class AllUsers(LoadTestShape):
    """All users from the start to the end: what changes is how often they ask. A limit that is looked for is looked at
    when a piece has ended, its last requests were answered and workers have reported them."""

    def _missed(self) -> bool:
        patience = max(_LEAD_SECONDS, 2 * Run.options.latency) + _REPORT_SECONDS * isinstance(self.runner, MasterRunner)
        return missed_by(Run.recording, Run.options, time.time() - Run.recording.began(), patience)

    def tick(self) -> tuple[int, float] | None:
        users = max(Run.options.users, Run.recording.processes)  # a process without any would send nothing of its own
        grace = 2 * _LEAD_SECONDS + min(_STOP_SECONDS, Run.options.timeout)
        over = self.get_run_time() >= Run.options.seconds + grace
        over = over or (Run.options.until_missed and self._missed())
        return None if over or Run.recording.resting >= users or Run.recording.full else (users, users)


@events.init_command_line_parser.add_listener
def add_flags(parser: Any) -> None:
    declare(parser)


@events.init.add_listener
def prepare(environment: Any, **_: Any) -> None:
    """Checks what is asked, and that somebody answers, before the first user comes."""
    worker = isinstance(environment.runner, WorkerRunner)
    try:
        Run.options = parsed(environment.parsed_options)
        Run.recording = Recording(Run.options.most_requests)
        if isinstance(environment.runner, MasterRunner):
            Run.recording.processes = environment.parsed_options.expect_workers
        if not worker:
            _look(Run.options)
    except Exception as bad:  # noqa: BLE001 - whatever stops it, the revision has not been tested
        give_up(bad)
        sys.exit(NO_VERDICT)
    environment.stop_timeout = min(_STOP_SECONDS, Run.options.timeout)
    gevent.spawn(_beat)


def _look(options: Options) -> None:
    """One request over each protocol; raises Unusable when nobody or somebody else answers."""
    for protocol in options.protocols:
        connection = asker(protocol, options)
        answer = connection.ask()
        connection.close()
        if answer.why in _NOT_THERE or (answer.why.startswith("HTTP") and not answer.why[5:].isdigit()):
            raise Unusable(f"{options.host or options.url} does not answer over {protocol} ({answer.why}).")
        if not answer.why and options.revision not in ("", answer.revision):
            by = answer.revision or "an unnamed backend"
            raise Unusable(f"revision {options.revision} was asked and {by} answered: its pinned route is not there.")


def _beat() -> None:
    """How late this process wakes up, what every answer's time may be too long by, and its use of a core."""
    begun = used = 0.0
    for beat in itertools.count():
        begun, used = (time.perf_counter(), time.process_time()) if beat % _BEATS_A_SAMPLE == 0 else (begun, used)
        due = time.perf_counter() + _HEARTBEAT_SECONDS
        gevent.sleep(_HEARTBEAT_SECONDS)
        Run.recording.lags.append(max(0.0, time.perf_counter() - due) * 1000.0)
        if beat % _BEATS_A_SAMPLE == _BEATS_A_SAMPLE - 1:
            Run.recording.cores.append((time.process_time() - used) / (time.perf_counter() - begun))


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """A worker knows its place among the others by now."""
    Run.recording.lags.clear()
    Run.recording.cores.clear()
    runner = environment.runner
    worker, workers = (
        (runner.worker_index, environment.parsed_options.expect_workers) if isinstance(runner, WorkerRunner) else (0, 1)
    )
    Run.plan = Run.options.due_times(worker, workers)


@events.test_stopping.add_listener
def note_end(**_: Any) -> None:
    Run.stopped = Run.stopped or time.time()


@events.report_to_master.add_listener
def send(data: dict[str, Any], **_: Any) -> None:
    data["recording"] = Run.recording.drained()


@events.worker_report.add_listener
def take_in(data: dict[str, Any], **_: Any) -> None:
    Run.recording.take_in(data["recording"])


@events.quitting.add_listener
def conclude(environment: Any, **_: Any) -> None:
    if isinstance(environment.runner, WorkerRunner):
        environment.process_exit_code = 0
    else:
        environment.process_exit_code = end(Run.recording, Run.options, Run.stopped or time.time())
