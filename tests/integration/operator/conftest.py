"""A bench for every test: a real API server and store, an operator with just its own rights."""

from collections.abc import Iterator
from pathlib import Path

import pytest

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
