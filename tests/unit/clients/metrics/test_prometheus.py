"""The same counters out of a Prometheus: recorded answers of a real one that scraped two real Envoys."""

import copy
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from modelyard.clients.metrics.counters import CounterSource, Reading, Totals, collect
from modelyard.clients.metrics.envoy import series
from modelyard.clients.metrics.envoy_pods import EnvoyPods
from modelyard.clients.metrics.prometheus import OLD_SECONDS, PrometheusCounters
from modelyard.settings import GatewaySettings

RECORDINGS = Path(__file__).parent / "recordings"
RECORDED = json.loads((RECORDINGS / "prometheus.json").read_text())
NOW = RECORDED["now"]


class Prometheus:
    """Answers queries as recorded, with changes; without them when `body` is set."""

    def __init__(self) -> None:
        self.answers = copy.deepcopy({name: RECORDED[name] for name in ("counters", "sampled")})
        self.status, self.body = 200, ""
        self.asked: list[dict[str, list[str]]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def rows(self, name: str) -> list[dict[str, Any]]:
        return self.answers[name]["data"]["result"]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        prometheus = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                prometheus.asked.append({"path": [self.path], **asked})
                name = "sampled" if asked["query"][0].startswith("timestamp") else "counters"
                body = (prometheus.body or json.dumps(prometheus.answers[name])).encode()
                self.send_response(prometheus.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler


class Listed:
    """The API server's list of the two Envoys."""

    def __init__(self) -> None:
        self.numbers = [1, 2]

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        return [
            {
                "metadata": {"name": f"envoy-{number}", "uid": f"uid-{number}"},
                "status": {**ready, "podIP": f"127.0.0.{number}"},
            }
            for number in self.numbers
        ]


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    found = Prometheus()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def listed() -> Listed:
    return Listed()


@pytest.fixture
def read(prometheus: Prometheus, listed: Listed) -> Iterator[Callable[[], Reading]]:
    made = PrometheusCounters(prometheus.url, EnvoyPods(listed, GatewaySettings()), lambda: NOW)
    yield made.read
    made.close()


def numbers(totals: Totals) -> tuple[int, ...]:
    return (totals.answered, totals.failed, totals.ended, totals.refused, totals.timed)


def test_a_real_prometheus_says_what_the_envoy_itself_says(read: Callable[[], Reading]) -> None:
    itself = collect(series((RECORDINGS / "envoy.txt").read_text()))
    scraped = read().pods["uid-1"]

    assert {source: numbers(totals) for source, totals in scraped.items()} == {
        source: numbers(totals) for source, totals in itself.items()
    }
    kept_bound = 5.0
    assert {one: totals.within for one, totals in scraped.items()} == {
        one: {kept_bound: totals.within[kept_bound]} for one, totals in itself.items()
    }


def test_a_pod_is_known_by_its_address_where_no_label_names_it(read: Callable[[], Reading]) -> None:
    reading = read()

    assert reading.trouble == ""
    assert reading.pods.keys() == {"uid-1", "uid-2"}
    assert (
        reading.pods["uid-2"][CounterSource("demo", "digits", "b", "httproute/demo/digits/rule/0/backend/1")].answered
        == 5
    )


def test_everything_is_counted_up_to_the_oldest_of_the_newest_samples(read: Callable[[], Reading]) -> None:
    samples = [float(row["value"][1]) for row in RECORDED["sampled"]["data"]["result"]]

    assert read().end == int(min(samples)) < int(max(samples))


def test_both_questions_are_about_the_same_moment(read: Callable[[], Reading], prometheus: Prometheus) -> None:
    read()

    assert [asked["path"] for asked in prometheus.asked] == [["/api/v1/query"]] * 2
    assert {float(asked["time"][0]) for asked in prometheus.asked} == {NOW}


def test_a_series_that_comes_twice_counts_once(read: Callable[[], Reading], prometheus: Prometheus) -> None:
    once = read().pods["uid-1"]
    copies = [{**row, "metric": {**row["metric"], "replica": "b"}} for row in prometheus.rows("counters")]
    prometheus.rows("counters").extend(copies)
    twice = read().pods["uid-1"]

    assert {one: numbers(totals) for one, totals in twice.items()} == {
        one: numbers(totals) for one, totals in once.items()
    }


def test_pods_of_other_gateways_do_not_count(read: Callable[[], Reading], listed: Listed) -> None:
    listed.numbers = [2]

    assert read().pods.keys() == {"uid-2"}


def test_a_pod_without_a_sample_is_named(read: Callable[[], Reading], listed: Listed) -> None:
    listed.numbers = [1, 2, 3]
    reading = read()

    assert "has no sample of Envoy pod envoy-3" in reading.trouble
    assert "scrapes /stats/prometheus on port 19001" in reading.trouble
    assert reading.pods.keys() == {"uid-1", "uid-2"}


def test_a_pod_whose_newest_sample_is_old_says_nothing(read: Callable[[], Reading], prometheus: Prometheus) -> None:
    old = f"{NOW - OLD_SECONDS - 30}"
    prometheus.rows("sampled")[0]["value"][1] = old
    reading = read()

    assert reading.pods.keys() == {"uid-2"}
    assert "has no sample younger than 120 s of Envoy pod envoy-1" in reading.trouble


def test_an_envoy_without_requests_is_a_pod_without_counts(read: Callable[[], Reading], prometheus: Prometheus) -> None:
    prometheus.rows("counters").clear()
    reading = read()

    assert reading.trouble == ""
    assert reading.pods == {"uid-1": {}, "uid-2": {}}


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "<html>Please log in</html>", "answered HTTP 200 <html>Please log in</html>; see gateway.prometheusUrl"),
        (404, "404 page not found", "answered HTTP 404 404 page not found"),
        (503, '{"status":"error","errorType":"timeout","error":"query timed out"}', "query timed out"),
        (200, '{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}', "answered HTTP 200"),
        (200, '{"data":{"result":[]},"warnings":["store-2 is away"]}', "answers in part only: store-2 is away"),
    ],
    ids=["a login page", "another program", "its error", "another shape", "a part"],
)
def test_what_is_no_whole_answer_is_told(
    read: Callable[[], Reading], prometheus: Prometheus, status: int, body: str, said: str
) -> None:
    prometheus.status, prometheus.body = status, body
    reading = read()

    assert said in reading.trouble
    assert reading.pods == {}
    assert reading.present == {"uid-1", "uid-2"}


def test_a_prometheus_that_is_not_there_is_told() -> None:
    counters = PrometheusCounters("http://127.0.0.1:1", EnvoyPods(Listed(), GatewaySettings()))
    reading = counters.read()
    counters.close()

    assert "the Prometheus at http://127.0.0.1:1 did not answer" in reading.trouble


def test_without_pods_nobody_is_asked(prometheus: Prometheus, read: Callable[[], Reading], listed: Listed) -> None:
    listed.numbers = []

    assert "no running Envoy pod" in read().trouble
    assert prometheus.asked == []
