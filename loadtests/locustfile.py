"""Locust's side of a load test: users that keep a rate, a shape that ends it, and the verdict when it has ended.

    locust -f loadtests/locustfile.py --headless --host http://ADDRESS --model NAME --request warmup.json --rate 20

Every user sends on a schedule of its own that begins at a random moment, so that together they come as independent
users do; one that is late because an answer took long sends what it owes at once (an open loop, as far as its
connection allows). Exit code 0: passed, 1: not passed, 2: no verdict.

The first lines matter: Locust's import turns the standard library's waiting into gevent's, and gRPC's has to follow
before anything of it is used, or all users wait while one does.
"""

import random
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import gevent
import grpc.experimental.gevent as grpc_gevent
from locust import LoadTestShape, User, events, task
from locust.runners import WorkerRunner

grpc_gevent.init_gevent()
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # Locust knows only the folder of this file

from loadtests.asking import Asker, asker  # noqa: E402
from loadtests.ending import NO_VERDICT, end, give_up  # noqa: E402
from loadtests.judging import Unusable  # noqa: E402
from loadtests.options import Options, declare, parsed  # noqa: E402
from loadtests.recording import PROTOCOLS, Recording, Row  # noqa: E402

_HEARTBEAT_SECONDS = 0.05
_STOP_SECONDS = 15
_NOT_THERE = ("HTTP 404", "gRPC UNAVAILABLE", "gRPC UNIMPLEMENTED", "gRPC NOT_FOUND")


class Run:
    """The load test under way in this process."""

    options: ClassVar[Options]
    recording: ClassVar[Recording]
    stopped: ClassVar[float] = 0.0


class InferenceUser(User):
    """One connection that sends the same request on its own schedule."""

    abstract = True
    protocol = ""

    def on_start(self) -> None:
        self.interval = Run.options.interval(self.protocol)
        self.asker: Asker = asker(self.protocol, Run.options)
        gevent.sleep(random.random() * self.interval)  # noqa: S311 - spreads load, guards nothing
        self.asker.ask()  # opens the connection, which is not what is measured
        self.due = time.perf_counter()
        Run.recording.plans.append([time.time(), self.interval])

    def on_stop(self) -> None:
        self.asker.close()

    def wait_time(self) -> float:
        self.due += self.interval
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


class Steady(LoadTestShape):
    """All users from the start to the end."""

    def tick(self) -> tuple[int, float] | None:
        if self.get_run_time() >= Run.options.seconds or Run.recording.full:
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
