"""Locust's side of a load test: users that keep a rate, a shape that ends it, and the verdict when it has ended.

    locust -f loadtests/locustfile.py --headless --host http://ADDRESS --model NAME --request warmup.json --rate 20

Every user sends its own share of the requests that the shape of the load makes due (`arrivals.py`), from a random place
in it on, so that together they come as independent users do; one that is late because an answer took long sends what it
owes at once (an open loop, as far as its connection allows). Exit code 0: passed, 1: not passed, 2: no verdict.

The first lines matter: Locust's import turns the standard library's waiting into gevent's, and gRPC's has to follow
before anything of it is used, or all users wait while one does.
"""

import math
import random
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import gevent
import grpc.experimental.gevent as grpc_gevent
from locust import LoadTestShape, User, events, task
from locust.runners import LocalRunner, WorkerRunner

grpc_gevent.init_gevent()
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Locust knows only the folder of this file

from loadtests.asking import Asker, asker  # noqa: E402
from loadtests.ending import NO_VERDICT, end, give_up  # noqa: E402
from loadtests.judging import Unusable  # noqa: E402
from loadtests.options import Options, declare, parsed  # noqa: E402
from loadtests.recording import PROTOCOLS, Recording, Row  # noqa: E402

_HEARTBEAT_SECONDS = 0.05
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
    alone: ClassVar[bool] = True
    joined: ClassVar[Counter[str]] = Counter()

    @classmethod
    def start(cls) -> float:
        """When the load of this process begins, by the clock of `time.perf_counter`."""
        if not cls.started:
            cls.started = time.perf_counter() + _LEAD_SECONDS
            cls.recording.starts.append(time.time() + _LEAD_SECONDS)
        return cls.started

    @classmethod
    def phase(cls, protocol: str) -> float:
        """The next user's place among the others: in their order where a recorded load is told to one process alone."""
        cls.joined[protocol] += 1
        if cls.alone and cls.options.arrivals.exact:
            return (cls.joined[protocol] - 0.5) / cls.options.users(protocol) % 1.0
        return random.random()  # noqa: S311 - spreads load, guards nothing


class InferenceUser(User):
    """One connection that sends the same request on its own schedule."""

    abstract = True
    protocol = ""

    def on_start(self) -> None:
        self.asker: Asker = asker(self.protocol, Run.options)
        self.began = Run.start()
        self.phase, self.turn = Run.phase(self.protocol), -1
        gevent.sleep(random.random() * _LEAD_SECONDS / 2)  # noqa: S311 - spreads load, guards nothing
        self.asker.ask()  # opens the connection, which is not what is measured
        gevent.sleep(self.wait_time())

    def on_stop(self) -> None:
        self.asker.close()

    def wait_time(self) -> float:
        self.turn += 1
        due = Run.options.due(self.protocol, self.turn, self.phase)
        if math.isinf(due):
            return _FOREVER
        self.due = self.began + due
        return max(0.0, self.due - time.perf_counter())

    @task
    def infer(self) -> None:
        sent = time.perf_counter()
        answer = self.asker.ask()
        took, late = (time.perf_counter() - sent) * 1000.0, max(0.0, sent - self.due) * 1000.0
        row = Row(int(time.time()), PROTOCOLS.index(self.protocol), took, late, answer.why != "")
        Run.recording.add(row, answer.why)
        if not answer.why and Run.options.revision not in ("", answer.revision):
            Run.recording.strangers[answer.revision or "an unnamed backend"] += 1
        self.environment.events.request.fire(
            request_type=self.protocol,
            name="infer",
            response_time=took,
            response_length=0,
            exception=RuntimeError(answer.why) if answer.why else None,
            context={},
        )


class HttpInferenceUser(InferenceUser):
    """Over HTTP/1.1."""

    protocol = "http"


class GrpcInferenceUser(InferenceUser):
    """Over gRPC."""

    protocol = "grpc"


class AllUsers(LoadTestShape):
    """All users from the start to the end: what changes is how often they ask."""

    def tick(self) -> tuple[int, float] | None:
        if self.get_run_time() >= Run.options.seconds + 2 * _LEAD_SECONDS or Run.recording.full:
            return None
        users = sum(Run.options.users(one) for one in PROTOCOLS)
        return users, users


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
        Run.alone = type(environment.runner) is LocalRunner
        for kind in (HttpInferenceUser, GrpcInferenceUser):
            kind.fixed_count = Run.options.users(kind.protocol)
            kind.weight = 0
        environment.user_classes = [
            kind for kind in (HttpInferenceUser, GrpcInferenceUser) if Run.options.share(kind.protocol)
        ]
        if not worker:
            _look(Run.options)
    except Exception as bad:  # noqa: BLE001 - whatever stops it, the revision has not been tested
        give_up(bad)
        sys.exit(NO_VERDICT)
    environment.stop_timeout = min(_STOP_SECONDS, Run.options.timeout)
    gevent.spawn(_beat)


def _look(options: Options) -> None:
    """One request over each protocol; raises Unusable when nobody or somebody else answers."""
    for protocol in PROTOCOLS:
        if not options.share(protocol):
            continue
        connection = asker(protocol, options)
        answer = connection.ask()
        connection.close()
        if answer.why in _NOT_THERE or (answer.why.startswith("HTTP") and not answer.why[5:].isdigit()):
            raise Unusable(f"{options.host or options.url} does not answer over {protocol} ({answer.why}).")
        if not answer.why and options.revision not in ("", answer.revision):
            by = answer.revision or "an unnamed backend"
            raise Unusable(f"revision {options.revision} was asked and {by} answered: its pinned route is not there.")


def _beat() -> None:
    """How late this process wakes up: what every answer's time may be too long by."""
    while True:
        due = time.perf_counter() + _HEARTBEAT_SECONDS
        gevent.sleep(_HEARTBEAT_SECONDS)
        Run.recording.lags.append(max(0.0, time.perf_counter() - due) * 1000.0)


@events.test_start.add_listener
def begin(**_: Any) -> None:
    Run.recording.lags.clear()


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
