"""An operator that is stopped after every single write, and started anew, ends where an undisturbed one ends."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modelyard.settings import ServingSettings
from tests.support.operator.bench import Bench, a_bench
from tests.support.operator.crashing_operator import settle
from tests.support.operator.leftovers import remains
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer


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
        ready = bench.condition("digits", "Reconciling").get("reason") == "Done"
        return ready and bench.status("digits")["version"] == version and len(bench.names("InferenceService")) == 1

    stops = 0
    for version in ("1", "2"):
        bench.ask("digits", source={"name": "digits", "version": version})
        stops += settle(bench, "digits", lambda version=version: serves(version), writes)
    return stops


def test_stopped_after_every_write_it_reaches_the_same_end(benches: tuple[Bench, Bench]) -> None:
    calm, stopped = benches
    assert lived(calm) == 0
    stops = lived(stopped, writes=1)

    assert stops > 20
    assert remains(stopped) == remains(calm)
