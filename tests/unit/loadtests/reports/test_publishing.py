"""A report is found again in the store, and its numbers in Prometheus; where they cannot go, the verdict stands."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtests.__main__ import main
from loadtests.reports.publishing import push
from modelyard.clients.store import S3Store
from modelyard.errors import Unreachable
from tests.support.cluster.locust import REQUEST
from tests.support.servers import inference_server, one_port
from tests.support.servers.inference_server import Manners
from tests.support.servers.store import StoreServer

FOUND: dict[str, Any] = {
    "namespace": "demo",
    "model": "digits",
    "started": "2027-01-15T08:00:00+00:00",
    "passed": False,
    "requests": 1200,
    "failed": 3,
    "rate": {"wanted": 20, "achieved": 19.5},
    "fromDue": {"requests": 1200, "p50": 12.0, "p99": 55.5, "p99.9": 80.0, "max": 90.0},
}


class Pushgateway:
    """Takes what is pushed, as the Pushgateway does: PUT /metrics/job/JOB/LABEL/VALUE..."""

    def __init__(self) -> None:
        self.got: dict[str, bytes] = {}
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                gateway.got[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def pushgateway() -> Iterator[Pushgateway]:
    made = Pushgateway()
    yield made
    made.stop()


def test_the_numbers_are_pushed_under_the_models_name(pushgateway: Pushgateway) -> None:
    push(FOUND, "nightly", pushgateway.url)

    [(path, body)] = pushgateway.got.items()
    assert path.startswith("/metrics/job/modelyard-loadtest/")
    assert all(part in path for part in ("/namespace/demo", "/model/digits", "/scenario/nightly"))
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }
    assert samples["modelyard_loadtest_passed",] == 0.0
    assert samples["modelyard_loadtest_requests",] == 1200.0
    assert samples["modelyard_loadtest_failed",] == 3.0
    assert samples["modelyard_loadtest_rate", "achieved"] == 19.5
    assert samples["modelyard_loadtest_latency_seconds", "0.99"] == 0.0555
    assert samples["modelyard_loadtest_latency_seconds", "0.999"] == 0.08
    assert len([name for name, *_ in samples if name == "modelyard_loadtest_latency_seconds"]) == 3


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere:x"])
def test_a_gateway_that_takes_nothing_is_named(url: str) -> None:
    with pytest.raises(Unreachable, match="did not take the numbers"):
        push(FOUND, "nightly", url)


def test_a_run_leaves_its_report_in_the_store_and_its_numbers_at_the_gateway(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    store_server: StoreServer,
    pushgateway: Pushgateway,
) -> None:
    where = store_server.settings(store_server.new_bucket())
    for name in ("endpoint", "bucket", "region", "access_key_id"):
        monkeypatch.setenv(f"MODELYARD_STORE_{name.upper()}", getattr(where, name))
    monkeypatch.setenv("MODELYARD_STORE_SECRET_ACCESS_KEY", where.secret_access_key.get_secret_value())
    (tmp_path / "body.json").write_bytes(REQUEST)
    scenario = tmp_path / "nightly.yaml"
    scenario.write_text(
        "model: double\nnamespace: demo\nrequest: body.json\nload: {steady: {rate: 20}}\nduration: 2s\n"
    )

    with inference_server.running({"double-1": Manners()}) as served, one_port.in_front(*served) as url:
        to = ["--report", str(tmp_path / "reports"), "--publish", "--pushgateway", pushgateway.url]
        code = main([str(scenario), "--host", url, *to])
        lost = main([str(scenario), "--host", url, *to[:3], "--pushgateway", "http://127.0.0.1:1"])

    said = capfd.readouterr()
    assert (code, lost) == (0, 0), said.err
    assert "the verdict stands, but the Pushgateway at http://127.0.0.1:1 did not take the numbers" in said.err
    keys = sorted(one.key for one in S3Store(where).list("loadtests/demo/double/nightly/"))
    assert [key.rpartition(".")[2] for key in keys] == ["html", "json"] * 2
    kept = S3Store(where).get(keys[1])
    assert kept is not None
    assert json.loads(kept)["requests"] == 40
    assert len(pushgateway.got) == 1
