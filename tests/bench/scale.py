"""`python -m tests.bench.scale`: what the operator costs with many Models, as Markdown.

A real etcd and API server, a real store, and an operator in a process of its own with just its rights; KServe, the
gateway and the builder are played (`tests.support.operator.busy_controllers`), and an Envoy pod says that six backends
of every Model are in use. CPU seconds are the operator's own, so they tell something on a busy machine too; wall times
do only on a quiet one.
"""

import argparse
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from kubernetes import config

from localcluster import apiserver
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.metrics.envoy import PORT
from modelyard.clients.metrics.envoy_pods import owner_selector
from modelyard.core.names import predictor
from modelyard.core.snapshot import Ref
from tests.bench.scaled_operator import Cost, RunningOperator, running
from tests.support.operator.bench import Bench, a_bench, eventually
from tests.support.operator.busy_controllers import busy, told
from tests.support.operator.real_apiserver import MODEL_DEFINITION, RealApiServer
from tests.support.servers.store import running_store

ENVOY = "127.0.0.2"
IDLE_SECONDS = 21.0
"""How long it is watched at rest, and with a rollout."""
CANARY = {"strategy": "Canary", "canary": {"steps": [{"weight": 10, "hold": "1h"}]}}


@contextmanager
def a_crowd(models: int) -> Iterator[Bench]:
    """A bench for many Models, with versions 1 and 2 of one entry, and a counting Envoy."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "api").mkdir()
        (folder / "store").mkdir()
        started = stack.enter_context(
            apiserver.running(folder / "api", crds=apiserver.CRD_SETS, manifests=[MODEL_DEFINITION])
        )
        api = RealApiServer(started.kubeconfig, config.new_client_from_config(str(started.kubeconfig)))
        store = stack.enter_context(running_store(folder / "store"))
        bench = stack.enter_context(a_bench(api, store.settings(store.new_bucket()), folder))
        for version in ("1", "2"):
            bench.push("digits", version)
        operator = bench.settings.operator.model_copy(update={"alias_seconds": 15, "lease_seconds": 15})
        bench.settings = bench.settings.model_copy(update={"operator": operator})
        an_envoy(bench)
        command = [sys.executable, "-m", "tests.bench.counting_envoy", ENVOY, str(PORT), bench.namespace, str(models)]
        envoy = subprocess.Popen(command)
        stack.callback(envoy.wait)
        stack.callback(envoy.kill)
        eventually(lambda: envoy.poll() is not None or _answers(ENVOY), "the counting Envoy answers or has ended")
        assert envoy.poll() is None, f"{ENVOY}:{PORT} is taken: another such bench runs"
        yield bench


def _answers(address: str) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex((address, PORT)) == 0


def an_envoy(bench: Bench) -> None:
    """The pod of the gateway, as the API server knows it."""
    namespace = bench.settings.operator.namespace
    labels = dict(one.split("=") for one in owner_selector(bench.settings.gateway).split(","))
    metadata = {"name": "envoy", "namespace": namespace, "labels": labels}
    spec = {"containers": [{"name": "envoy", "image": "envoy"}]}
    made = bench.cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
    ready = {"type": "Ready", "status": "True"}
    status = {"phase": "Running", "podIP": ENVOY, "podIPs": [{"ip": ENVOY}], "conditions": [ready]}
    bench.cluster.apply_status(Ref("Pod", namespace, "envoy"), made["metadata"]["uid"], status)


class Crowd:
    """Many Models that somebody applies, and who of them is done."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self._client = bench, Cluster(bench.cluster.configuration, 8)
        self.count = 0
        self.done: set[str] = set()
        self.revisions: dict[str, str] = {}
        self.seen: dict[str, tuple[Any, float]] = {}
        self._changed = threading.Condition()

    def take_in(self, thing: dict[str, Any]) -> None:
        name = thing["metadata"]["name"]
        with self._changed:
            if thing["kind"] == "Deployment":
                self.seen[name] = thing["spec"]["replicas"], time.monotonic()
            elif any(each["type"] == "Ready" and each["status"] == "True" for each in conditions(thing)):
                self.done.add(name)
                self.revisions[name] = thing["status"]["revision"]
            self._changed.notify_all()

    def until(self, reached: Any, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(reached, seconds)

    def grow(self, total: int) -> None:
        """More Models are applied, until there are so many."""

        def ask(number: int) -> None:
            spec = {"source": {"name": "digits", "version": "1"}, "rollout": {"strategy": "Immediate"}}
            metadata = {"name": f"m{number}", "namespace": self.bench.namespace}
            kind = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model"}
            self._client.apply({**kind, "metadata": metadata, "spec": spec})

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(ask, range(self.count, total)))
        self.count = total

    def edit(self, name: str, spec: dict[str, Any]) -> None:
        self._client.merge(Ref("Model", self.bench.namespace, name), {"spec": spec})

    def patched(self, name: str, replicas: int) -> float:
        """Seconds from a changed number of replicas to the Deployment that has it."""
        deployment = predictor(self.revisions[name])
        begun = time.monotonic()
        self.edit(name, {"serving": {"replicas": replicas}})
        if not self.until(lambda: self.seen.get(deployment, (0, 0))[0] == replicas, 60):
            raise AssertionError(f"{deployment} never had {replicas} replicas")
        return self.seen[deployment][1] - begun


def conditions(model: dict[str, Any]) -> list[dict[str, Any]]:
    return model.get("status", {}).get("conditions", [])


def requests(bench: Bench) -> int:
    """What the API server has answered so far, whoever asked."""
    text = bench.api.run("kubectl", "get", "--raw", "/metrics").stdout
    rows = [line for line in text.splitlines() if line.startswith("apiserver_request_total{")]
    return sum(int(float(row.rpartition(" ")[2])) for row in rows if 'verb="WATCH"' not in row)


def said(what: str, **figures: Any) -> None:
    print(json.dumps({"what": what, **figures}), flush=True)


def figures(cost: Cost, models: int) -> dict[str, Any]:
    return {
        "cpu": round(cost.cpu, 2),
        "cpu_a_model": round(cost.cpu / models, 4),
        "writes_a_model": round(sum(cost.writes.values()) / models, 2),
        "passes_a_model": round(sum(cost.passes.values()) / models, 2),
        "writes": cost.writes,
        "passes": cost.passes,
        "memory_kib": cost.memory,
    }


def measure(crowd: Crowd, operator: RunningOperator, models: int, latencies: int, patience: float) -> None:
    """From the Models there are to `models`, at rest, and one of them changed again and again."""
    before, begun, grown = operator.cost(), time.monotonic(), models - crowd.count
    crowd.grow(models)
    if not crowd.until(lambda: len(crowd.done) >= models, patience):
        said("late", done=len(crowd.done), **figures(operator.cost().since(before), grown))
        return
    ready = time.monotonic() - begun
    at_ready = operator.cost().since(before)
    since, cost = operator.quiet()
    said("ready", models=models, seconds=round(ready, 1), **figures(at_ready, grown))
    said("quiet", models=models, seconds=round(since - begun, 1), **figures(cost.since(before), grown))
    asked, before = requests(crowd.bench), operator.cost()
    time.sleep(IDLE_SECONDS)
    rest = operator.cost().since(before)
    asked = requests(crowd.bench) - asked
    said("idle", models=models, cores=round(rest.cpu / IDLE_SECONDS, 4), requests=asked, **figures(rest, models))
    chosen = random.Random(1).sample(sorted(crowd.done), min(latencies, models))
    before = operator.cost()
    took = sorted(1000 * crowd.patched(name, 2) for name in chosen)
    if took:
        ends = {"p50_ms": round(statistics.median(took), 1), "p99_ms": round(took[int(0.99 * len(took))], 1)}
        said("changed", models=models, **ends, cpu_each=round(operator.cost().since(before).cpu / len(took), 4))


def rollout(crowd: Crowd, operator: RunningOperator, name: str) -> None:
    """Cores while one rollout holds at its first step."""
    crowd.edit(name, {"source": {"version": "2"}, "rollout": CANARY})

    def at() -> dict[str, Any]:
        return (crowd.bench.get("Model", name) or {}).get("status", {}).get("rollout", {})

    end = time.monotonic() + 90
    while time.monotonic() < end and not at().get("weight"):
        time.sleep(0.5)
    time.sleep(10)
    before = operator.cost()
    time.sleep(IDLE_SECONDS)
    rest = operator.cost().since(before)
    said("rollout", cores=round(rest.cpu / IDLE_SECONDS, 4), phase=at().get("phase"), weight=at().get("weight"),
         **figures(rest, crowd.count))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=int, nargs="*", default=[200, 1000])
    parser.add_argument("--latencies", type=int, default=100)
    parser.add_argument("--patience", type=float, default=570, help="seconds in which all Models are to be Ready")
    parser.add_argument("--source", default="", help="the folder platform/src of another version")
    parser.add_argument("--keep", default="", help="copy the operator's log to this file")
    options = parser.parse_args()
    with a_crowd(options.models[-1]) as bench:
        crowd = Crowd(bench)
        folder = bench.folder

        def an_operator(identity: str) -> Any:
            return running(bench.settings, bench.kubeconfig, folder, options.source, identity)

        try:
            with busy(bench.players), told(bench.players, ("Model", "Deployment"), crowd.take_in):
                with an_operator("one") as operator:
                    _until_ready(operator)
                    said("empty", pid=operator.process.pid, **figures(operator.cost(), 1))
                    for models in options.models:
                        measure(crowd, operator, models, options.latencies, options.patience)
                begun = time.monotonic()
                with an_operator("two") as operator:
                    _until_ready(operator)
                    led = time.monotonic() - begun
                    since, cost = operator.quiet()
                    said("restart", models=crowd.count, leading=round(led, 1), seconds=round(since - begun, 1),
                         **figures(cost, crowd.count))  # fmt: skip
                    rollout(crowd, operator, f"m{crowd.count - 1}")
        finally:
            if options.keep:
                Path(options.keep).write_bytes((folder / "operator.log").read_bytes())


def _until_ready(operator: RunningOperator) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and operator.process.poll() is None:
        if operator.ready():
            return
        time.sleep(0.1)
    raise AssertionError("the operator did not begin to lead")


if __name__ == "__main__":
    main()
