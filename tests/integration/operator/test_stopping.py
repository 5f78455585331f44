"""An operator that is stopped after every single write, and started anew, ends where an undisturbed one ends."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from modelyard.settings import ServingSettings
from tests.support.bench import Bench, a_bench
from tests.support.hands import settle
from tests.support.real_apiserver import RealApiServer
from tests.support.store import StoreServer

KINDS = ("Secret", "ServiceAccount", "InferenceService", "HTTPRoute", "GRPCRoute", "Deployment", "Service")
OWN = ("name", "labels")


@pytest.fixture
def benches(apiserver: RealApiServer, store_server: StoreServer, tmp_path: Path) -> Iterator[tuple[Bench, Bench]]:
    with ExitStack() as stack:
        made = []
        for name in ("calm", "stopped"):
            folder = tmp_path / name
            folder.mkdir()
            bench = stack.enter_context(a_bench(apiserver, store_server.settings(store_server.new_bucket()), folder))
            serving = ServingSettings(drain_seconds=0, settle_seconds=0)
            bench.settings = bench.settings.model_copy(update={"serving": serving})
            for version in ("1", "2"):
                bench.push("digits", version)
            made.append(bench)
        yield made[0], made[1]


def lived(bench: Bench, writes: float = float("inf")) -> int:
    """A Model is applied, serves, is switched to version 2 and serves again; how often the operator was stopped."""

    def serves(version: str) -> bool:
        ready = bench.condition("digits", "Ready").get("status") == "True"
        return ready and bench.status("digits")["version"] == version and len(bench.names("InferenceService")) == 1

    stops = 0
    for version in ("1", "2"):
        bench.ask("digits", source={"name": "digits", "version": version})
        stops += settle(bench, "digits", lambda version=version: serves(version), writes)
    return stops


def world(bench: Bench) -> dict[str, Any]:
    """Everything there is, without times, versions and the names of this bench."""
    things = {f"{kind}/{one['metadata']['name']}": essence(one) for kind in KINDS for one in bench.items_of(kind)}
    text = json.dumps({**things, "status": timeless(bench.status("digits"))}, sort_keys=True)
    for own in (bench.namespace, bench.players.platform, bench.settings.store.bucket, bench.settings.gateway.url):
        text = text.replace(own, "OWN")
    return json.loads(text)


def essence(thing: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: thing["metadata"][key] for key in OWN}
    spec = {key: value for key, value in thing.get("spec", {}).items() if not key.startswith("clusterIP")}
    return {"metadata": metadata, "spec": spec, "data": thing.get("data")}


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        times = ("lastTransitionTime", "since", "carried", "started", "ended")
        return {key: timeless(one) for key, one in value.items() if key not in times}
    return [timeless(one) for one in value] if isinstance(value, list) else value


def test_stopped_after_every_write_it_reaches_the_same_end(benches: tuple[Bench, Bench]) -> None:
    calm, stopped = benches
    assert lived(calm) == 0
    stops = lived(stopped, writes=1)

    assert stops > 20
    assert world(stopped) == world(calm)
