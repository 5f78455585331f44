"""A bench for every test: a real API server and store, an operator with just its own rights."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from modelyard.settings import ServingSettings
from tests.support.operator.bench import Bench, a_bench
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer


@pytest.fixture
def bench(apiserver: RealApiServer, store_server: StoreServer, tmp_path: Path) -> Iterator[Bench]:
    with a_bench(apiserver, store_server.settings(store_server.new_bucket()), tmp_path) as made:
        yield made


@pytest.fixture
def lively(bench: Bench) -> Iterator[Bench]:
    """A bench whose players play by themselves, with versions 1 and 2 of digits in the registry."""
    for version in ("1", "2"):
        bench.push("digits", version)
    with bench.players.playing():
        yield bench


@pytest.fixture
def a_calm_bench(apiserver: RealApiServer, store_server: StoreServer, tmp_path: Path) -> Iterator[Callable[[], Bench]]:
    """Benches on which no time is spent on draining, with versions 1 and 2 of digits."""
    with ExitStack() as stack:

        def made() -> Bench:
            store = store_server.settings(store_server.new_bucket())
            bench = stack.enter_context(a_bench(apiserver, store, tmp_path))
            serving = ServingSettings(drain_seconds=0, settle_seconds=0)
            bench.settings = bench.settings.model_copy(update={"serving": serving})
            for version in ("1", "2"):
                bench.push("digits", version)
            return bench

        yield made
