"""What is asked for on the command line or in a scenario, checked; every flag that is not Locust's own."""

import math
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.clients.store import S3Store
from modelyard.core.names import host
from modelyard.errors import InvalidSettings
from modelyard.settings import Settings

from .arrivals import Arrivals, Due, due_times, steady
from .payloads import bounded, encoded, request_feed, stored
from .recording import PROTOCOLS
from .scenario import MOST_SECONDS, Scenario, read_scenario

MOST_USERS = 500
_PER_THRESHOLD = 2.0


@dataclass(frozen=True)
class Options:
    """One load test. Times are in seconds, shares and rates of failure fractions; `latency` 0 means no objective."""

    url: str
    grpc_url: str
    model: str
    namespace: str
    host: str
    revision: str
    id: str
    requests: Mapping[str, Sequence[Any]]
    arrivals: Arrivals
    grpc_share: float
    binary_share: float
    error_rate: float
    latency: float
    percentile: float
    timeout: float
    most_requests: int
    report: str
    publish: bool

    @property
    def seconds(self) -> float:
        """How long the load lasts."""
        return self.arrivals.seconds

    @property
    def rate(self) -> float:
        """Requests per second that are wanted, on the average."""
        return self.arrivals.planned(self.seconds) / self.seconds

    @property
    def until_missed(self) -> bool:
        """The load looks for the highest rate that is kept, and ends with the first that is not."""
        return getattr(self.arrivals, "until_missed", False)

    @property
    def users(self) -> int:
        """How many requests may be under way: enough to keep the rate when answers take a second, or twice the
        objective."""
        return min(self.wanted_users, MOST_USERS)

    @property
    def wanted_users(self) -> int:
        """The same without the limit."""
        return math.ceil(self.arrivals.highest * max(1.0, _PER_THRESHOLD * self.latency))

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those over which requests are sent."""
        return tuple(protocol for protocol in PROTOCOLS if self.share(protocol))

    def share(self, protocol: str) -> float:
        """Share of the requests that goes over a protocol."""
        shares = {"grpc": self.grpc_share, "binary": self.binary_share}
        return shares.get(protocol, max(0.0, 1.0 - self.grpc_share - self.binary_share))

    def due_times(self, worker: int, workers: int) -> Iterator[Due]:
        """See `arrivals.due_times`."""
        return due_times(self.arrivals, [self.share(one) for one in PROTOCOLS], worker, workers)


DEFAULTS: dict[str, Any] = {
    "model": "", "namespace": "", "revision": "", "build": "", "request": "", "inputs": None, "host": "",
    "grpc_host": "", "rate": 10.0, "duration": 60.0, "grpc_share": 0.5, "binary_share": 0.0, "error_rate": 0.01,
    "latency": 0.0, "percentile": 99.0,
}  # fmt: skip
"""What holds where neither the command line nor a scenario says it."""


def declare(parser: ArgumentParser) -> None:
    """Adds our flags to Locust's. Those that a scenario may say too are None when they are not given."""
    own = parser.add_argument_group("Modelyard")
    own.add_argument("--scenario", default="", help="A file of loadtests/scenarios; what is given beside it wins")
    own.add_argument("--model", help="Name of the Model, as the server calls it")
    own.add_argument("--namespace", help="Its namespace: asks a gateway by host name; empty asks a server")
    own.add_argument("--revision", help="Pin every request to this revision")
    own.add_argument("--build", help="Take the request from this build (sha256:...) in the store")
    own.add_argument("--request", help="Take the request from this file instead: a v2 request body")
    own.add_argument("--grpc-host", help="URL for gRPC when it is not that of --host")
    own.add_argument("--rate", type=float, help="Requests per second in all, steadily; 10")
    own.add_argument("--duration", type=float, help="Seconds; 60")
    own.add_argument("--grpc-share", type=float, help="Share of the requests sent over gRPC, 0 to 1; 0.5")
    own.add_argument("--binary-share", type=float, help="Share of them sent over HTTP with raw tensors; 0")
    own.add_argument("--error-rate", type=float, help="Share of requests that may fail; 0.01")
    own.add_argument("--latency", type=float, help="Objective: seconds an answer may take; 0, for none")
    own.add_argument("--percentile", type=float, help="Percent of the answers that must keep --latency; 99")
    own.add_argument("--request-timeout", type=float, default=10.0, help="Seconds after which a request has failed")
    own.add_argument("--most-requests", type=int, default=1_000_000, help="Ends after so many requests at the latest")
    own.add_argument("--load-test-id", default="", help="Value of the header x-modelyard-load-test")
    own.add_argument("--report", default="", help="Write the whole report (JSON) to this file")
    own.add_argument("--publish", action="store_true", help="Put the report into the store; for Jobs")


def parsed(given: Namespace) -> Options:
    """The options; raises InvalidSettings for what cannot be done, and what the store raises."""
    scenario = read_scenario(Path(given.scenario)) if given.scenario else None
    given = _complete(given, scenario)
    _refuse_nonsense(given)
    domain = Settings.read().gateway.domain
    return Options(
        url=given.host.rstrip("/"),
        grpc_url=(given.grpc_host or given.host).rstrip("/"),
        model=given.model,
        namespace=given.namespace,
        host=host(given.model, given.namespace, domain) if given.namespace else "",
        revision=given.revision,
        id=given.load_test_id or f"{given.revision or given.model}-{int(time.time())}",
        requests=_requests(given, Path(given.scenario).parent),
        arrivals=_arrivals(given, scenario),
        grpc_share=given.grpc_share,
        binary_share=given.binary_share,
        error_rate=given.error_rate,
        latency=given.latency,
        percentile=given.percentile,
        timeout=given.request_timeout,
        most_requests=given.most_requests,
        report=given.report,
        publish=given.publish,
    )


def _complete(given: Namespace, scenario: Scenario | None) -> Namespace:
    """What is given, else what the scenario says, else the default."""
    if scenario is not None and (given.rate is not None or given.duration is not None):
        raise InvalidSettings("--rate and --duration are the load of the scenario: change them there.")
    written = scenario.flags(Path(given.scenario).parent) if scenario else {}
    flags = vars(given)
    if flags["build"] or flags["request"]:
        written = {name: value for name, value in written.items() if name not in ("build", "request", "inputs")}
    found = {
        name: written.get(name, default) if flags.get(name) is None else flags[name]
        for name, default in DEFAULTS.items()
    }
    return Namespace(**{**flags, **found})


def _arrivals(given: Namespace, scenario: Scenario | None) -> Arrivals:
    if scenario is None:
        return steady(given.rate, given.duration)
    arrivals = scenario.arrivals(Path(given.scenario).parent)
    if arrivals.seconds > MOST_SECONDS:
        raise InvalidSettings(f"the load takes {arrivals.seconds:g} s; at most {MOST_SECONDS:g} are: replay a part.")
    return arrivals


def _refuse_nonsense(given: Namespace) -> None:
    rules = {
        "say whom to ask: --host http://ADDRESS and --model NAME.": bool(given.host and given.model),
        "--host and --grpc-host are URLs that begin with http:// or https://.": all(
            url.startswith(("http://", "https://")) for url in (given.host or "http://", given.grpc_host or "http://")
        ),
        "say what to ask: --build sha256:... or --request FILE, or inputs in a scenario, one of them.": sum(
            bool(source) for source in (given.build, given.request, given.inputs)
        )
        == 1,
        "--rate is above 0 and at most 10000 requests per second.": 0 < given.rate <= 10_000,
        f"--duration is above 0 and at most {MOST_SECONDS:g} seconds.": 0 < given.duration <= MOST_SECONDS,
        "--grpc-share and --binary-share lie between 0 and 1, and so does their sum.": given.grpc_share
        >= 0
        <= given.binary_share
        and given.grpc_share + given.binary_share <= 1,
        "--error-rate lies between 0 and 1, both excluded.": 0 < given.error_rate < 1,
        "--latency is 0 or more, --percentile from 50 to 99.99.": given.latency >= 0
        and 50 <= given.percentile <= 99.99,
        "--request-timeout is above 0, --most-requests 1 or more.": given.request_timeout > 0 < given.most_requests,
        "--publish needs --namespace and --revision.": not given.publish or bool(given.namespace and given.revision),
    }
    for sentence, holds in rules.items():
        if not holds:
            raise InvalidSettings(sentence)


def _requests(given: Namespace, folder: Path) -> dict[str, list[Any]]:
    """What to send by protocol; raises InvalidSettings, and what the store raises."""
    body = b""
    if given.inputs:
        feeds = given.inputs.feeds(folder)
    elif given.build:
        feeds = stored(S3Store(Settings.read().store), given.build)
    else:
        body = _read(given.request)
        feeds = [request_feed(body, given.request)]
    shares = {"grpc": given.grpc_share, "binary": given.binary_share, "http": 1 - given.grpc_share - given.binary_share}
    used, feeds = [name for name in PROTOCOLS if shares[name] > 0], bounded(feeds)
    return {protocol: encoded(protocol, given.model, feeds, body) for protocol in used}


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as bad:
        raise InvalidSettings(f"--request {file} cannot be read: {bad.strerror}.") from bad
