"""What is asked for on the command line, checked; every flag that is not Locust's own."""

import math
import time
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

from modelyard.builder.artifacts.recorded_requests import warmup, warmup_inputs
from modelyard.clients.store import S3Store
from modelyard.core.names import host
from modelyard.errors import CorruptEntry, InvalidSettings
from modelyard.settings import Settings

MOST_USERS = 500
MOST_SECONDS = 3600.0
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
    body: bytes
    rate: float
    seconds: float
    grpc_share: float
    error_rate: float
    latency: float
    percentile: float
    timeout: float
    most_requests: int
    report: str
    publish: bool

    def users(self, protocol: str) -> int:
        """Connections over a protocol: enough to keep the rate when answers take a second, or twice the objective."""
        return min(self.wanted_users(protocol), MOST_USERS)

    def wanted_users(self, protocol: str) -> int:
        """The same without the limit."""
        return math.ceil(self.share(protocol) * self.rate * max(1.0, _PER_THRESHOLD * self.latency))

    def share(self, protocol: str) -> float:
        """Share of the requests that goes over a protocol."""
        return self.grpc_share if protocol == "grpc" else 1.0 - self.grpc_share

    def interval(self, protocol: str) -> float:
        """Seconds between two requests of one user."""
        return self.users(protocol) / (self.rate * self.share(protocol))


def declare(parser: ArgumentParser) -> None:
    """Adds our flags to Locust's."""
    own = parser.add_argument_group("Modelyard")
    own.add_argument("--model", default="", help="Name of the Model, as the server calls it")
    own.add_argument("--namespace", default="", help="Its namespace: asks a gateway by host name; empty asks a server")
    own.add_argument("--revision", default="", help="Pin every request to this revision")
    own.add_argument("--build", default="", help="Take the request from this build (sha256:...) in the store")
    own.add_argument("--request", default="", help="Take the request from this file instead: a v2 request body")
    own.add_argument("--grpc-host", default="", help="URL for gRPC when it is not that of --host")
    own.add_argument("--rate", type=float, default=10.0, help="Requests per second in all")
    own.add_argument("--duration", type=float, default=60.0, help="Seconds")
    own.add_argument("--grpc-share", type=float, default=0.5, help="Share of the requests sent over gRPC, 0 to 1")
    own.add_argument("--error-rate", type=float, default=0.01, help="Share of requests that may fail")
    own.add_argument("--latency", type=float, default=0.0, help="Objective: seconds an answer may take; 0 for none")
    own.add_argument("--percentile", type=float, default=99.0, help="Percent of the answers that must keep --latency")
    own.add_argument("--request-timeout", type=float, default=10.0, help="Seconds after which a request has failed")
    own.add_argument("--most-requests", type=int, default=1_000_000, help="Ends after so many requests at the latest")
    own.add_argument("--load-test-id", default="", help="Value of the header x-modelyard-load-test")
    own.add_argument("--report", default="", help="Write the whole report (JSON) to this file")
    own.add_argument("--publish", action="store_true", help="Put the report into the store; for Jobs")


def parsed(given: Namespace) -> Options:
    """The options; raises InvalidSettings for what cannot be done, and what the store raises."""
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
        body=_checked(_body(given), given.build or given.request),
        rate=given.rate,
        seconds=given.duration,
        grpc_share=given.grpc_share,
        error_rate=given.error_rate,
        latency=given.latency,
        percentile=given.percentile,
        timeout=given.request_timeout,
        most_requests=given.most_requests,
        report=given.report,
        publish=given.publish,
    )


def _refuse_nonsense(given: Namespace) -> None:
    rules = {
        "say whom to ask: --host http://ADDRESS and --model NAME.": bool(given.host and given.model),
        "--host and --grpc-host are URLs that begin with http:// or https://.": all(
            url.startswith(("http://", "https://")) for url in (given.host or "http://", given.grpc_host or "http://")
        ),
        "say what to ask: --build sha256:... or --request FILE, one of them.": bool(given.build) != bool(given.request),
        "--rate is above 0 and at most 10000 requests per second.": 0 < given.rate <= 10_000,
        f"--duration is above 0 and at most {MOST_SECONDS:g} seconds.": 0 < given.duration <= MOST_SECONDS,
        "--grpc-share lies between 0 and 1.": 0 <= given.grpc_share <= 1,
        "--error-rate lies between 0 and 1, both excluded.": 0 < given.error_rate < 1,
        "--latency is 0 or more, --percentile from 50 to 99.99.": given.latency >= 0
        and 50 <= given.percentile <= 99.99,
        "--request-timeout is above 0, --most-requests 1 or more.": given.request_timeout > 0 < given.most_requests,
        "--publish needs --namespace and --revision.": not given.publish or bool(given.namespace and given.revision),
    }
    for sentence, holds in rules.items():
        if not holds:
            raise InvalidSettings(sentence)


def _body(given: Namespace) -> bytes:
    if given.build:
        return warmup(S3Store(Settings.read().store), given.build)
    try:
        return Path(given.request).read_bytes()
    except OSError as bad:
        raise InvalidSettings(f"--request {given.request} cannot be read: {bad.strerror}.") from bad


def _checked(body: bytes, origin: str) -> bytes:
    try:
        warmup_inputs(body)
    except CorruptEntry as bad:
        raise InvalidSettings(
            f'the request of {origin} is no inference request of the v2 protocol; it looks like {{"inputs": '
            '[{"name", "datatype", "shape", "data"}]}, as `modelyard build` writes it to warmup.json.'
        ) from bad
    return body
