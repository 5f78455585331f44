"""An operator that is stopped after every single write, and started anew, ends where an undisturbed one ends.

A Model that is deleted after some write of its creation leaves nothing, whether the operator lives or is stopped there
and after every write from then on: after every fourth write, from a first one that the commit draws, all in a proof.
"""

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import pytest

from modelyard.api.optimization import Progress
from modelyard.core.names import MODEL_LABEL
from modelyard.errors import OutsideError
from modelyard.settings import ServingSettings
from tests.support.operator.bench import Bench, a_bench
from tests.support.operator.crashing_operator import Crash, Hands, settle
from tests.support.operator.leftovers import KINDS, remains
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.repository.proof import PROOF, commit, drawn
from tests.support.servers.store import StoreServer

EVERY = 1 if PROOF else 4
LOOKS = 100
TRIED = Progress(done=1, planned=9, best=1.0, best_name="", spent_seconds=6, at="2026-01-01T00:00:00Z")


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


def left(bench: Bench) -> list[str]:
    """What there is for Models: children of theirs, and Jobs. A plain build is anybody's, and ends by itself."""
    children = [f"{kind}/{item['metadata']['name']}" for kind in KINDS for item in bench.items_of(kind)]
    jobs = bench.players.items("Job", bench.settings.operator.namespace)
    theirs = [job for job in jobs if MODEL_LABEL in job["metadata"]["labels"]]
    return sorted(children + [f"Job/{job['metadata']['name']}" for job in theirs])


def deleted_after(bench: Bench, name: str, writes: int, *, killed: bool) -> bool:
    """Creates a Model up to so many writes, then it is deleted; False where it was all done with fewer."""
    hands, over = Hands(bench, writes), []

    def delete() -> None:
        over.append(True)
        bench.delete("Model", name)
        if killed:
            raise Crash

    hands.metrics.over = delete
    for _ in range(LOOKS):
        with suppress(Crash, OutsideError):
            hands.look(name)
        if over:
            return True
        bench.players.step()
        if bench.condition(name, "Reconciling").get("reason") == "Optimizing":
            bench.delete("Model", name)
            return False
    raise AssertionError(f"it never optimizes: {bench.status(name)}")


@pytest.mark.parametrize("killed", [True, False], ids=["the operator is killed", "the operator lives"])
def test_a_model_that_is_deleted_after_any_write_leaves_nothing(benches: tuple[Bench, Bench], killed: bool) -> None:
    bench, _ = benches
    bench.players.tries = TRIED
    jobs, most = 0, 0
    for writes in count(drawn(commit(), EVERY), EVERY):
        name, most = f"digits-{writes}", writes
        bench.ask(name, source={"name": "digits", "version": "1"}, optimize={})
        amid = deleted_after(bench, name, writes, killed=killed)
        jobs += any(thing.startswith("Job/") for thing in left(bench))
        settle(bench, name, lambda: left(bench) == [], 1, "gone")
        if not amid:
            break

    assert most > 10
    assert jobs > 0
