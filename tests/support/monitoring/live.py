"""A real Prometheus with the real rules over `exposition`, and what is needed to run it and others in a test.

Rules are evaluated each second, so that nobody waits; their intervals are the only thing that is changed.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml

from modelyard.core.prometheus_rules import rule_file
from tests.support.monitoring.exposition import MODELS, NAMESPACE, Exporter, pod
from tests.support.monitoring.programs import program
from tests.support.servers.store import free_ports

T = TypeVar("T")
_PATIENCE = 60.0


@contextmanager
def serving(server: ThreadingHTTPServer) -> Iterator[None]:
    """The server answers as long as the context lives."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running(words: Sequence[str | Path], ready: str, log: Path) -> Iterator[None]:
    """A program that answers at the URL `ready` as soon as it runs, until the end of the block."""
    with log.open("wb") as said:
        process = subprocess.Popen([*map(str, words)], stdout=said, stderr=subprocess.STDOUT, cwd=log.parent)
        try:
            until(f"an answer of {words[0]}, which says {log}", lambda: process.poll() is not None or _ready(ready))
            assert process.poll() is None, log.read_text()
            yield
        finally:
            process.terminate()
            process.wait(30)


def _ready(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@contextmanager
def prometheus(folder: Path, alertmanager: str = "") -> Iterator["LivePrometheus"]:
    """A Prometheus that scrapes an exporter and evaluates the rules each second; alerts go to `alertmanager`."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = rule_file.document()
    for group in rules["groups"]:
        group["interval"] = "1s"
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    [port] = free_ports(1)
    exporter = Exporter()
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_configuration(exporter, alertmanager)))
    words = [
        program("prometheus"), "--config.file=prometheus.yaml", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=:{port}", "--log.level=warn",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with serving(exporter.server), running(words, f"{url}/-/ready", folder / "prometheus.log"):
        yield LivePrometheus(url)


def _configuration(exporter: Exporter, alertmanager: str) -> dict[str, Any]:
    """Scrapes as PodMonitors, the ServiceMonitor and a kubelet's make them, each second."""
    host, port = exporter.server.server_address[:2]

    def job(name: str, path: str, **labels: str) -> dict[str, Any]:
        static = {"targets": [f"{host!s}:{port}"], "labels": labels}
        return {"job_name": name, "metrics_path": path, "honor_labels": True, "static_configs": [static]}

    jobs = [
        job("gateway", "/gateway", namespace="envoy-gateway-system", pod="envoy-1"),
        job("operator", "/operator", namespace="modelyard-system", pod="operator-1"),
        job("kubelet", "/kubelet"),
        job("evaluator", "/evaluator", namespace="modelyard-system", pod="evaluator-1"),
        job("recorder", "/recorder", namespace="modelyard-system", pod="recorder-1"),
        *(job(f"models-{name}", f"/triton/{name}", namespace=NAMESPACE, pod=pod(name)) for name in MODELS),
    ]
    receivers = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "alerting": {"alertmanagers": receivers},
        "scrape_configs": jobs,
    }


@dataclass(frozen=True)
class LivePrometheus:
    """A Prometheus that scrapes the world and evaluates the rules."""

    url: str

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The rows of an instant query."""
        answer = httpx.post(f"{self.url}/api/v1/query", data={"query": query}, trust_env=False).json()
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def await_rows(self, query: str) -> list[dict[str, Any]]:
        """The rows as soon as there are any."""
        return until(f"rows of {query}", lambda: self.ask(query))


def until(what: str, found: Callable[[], T]) -> T:
    """What `found` gives as soon as it is something; fails when it never is."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.2)
    raise AssertionError(f"there were never {what}")
