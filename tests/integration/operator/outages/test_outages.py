"""The API server, the store or the namespace fails under the operator: it waits, goes on, and harms nothing."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modelyard.api.model import Model
from modelyard.clients.cluster import api_server, list_watch
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.kinds import BY_NAME
from modelyard.core.snapshot import Ref
from modelyard.operator import process
from modelyard.operator.cache.objects import Key
from tests.support.operator.api_front import ApiFront, fronted
from tests.support.operator.bench import Bench, eventually

DIGITS = {"source": {"name": "digits", "version": "1"}}
CHILDREN = ("Secret", "ServiceAccount", "InferenceService", "HTTPRoute", "GRPCRoute", "Deployment", "Service")


@pytest.fixture
def front(lively: Bench) -> Iterator[ApiFront]:
    """The operator's way to the API server; everybody else has another."""
    with fronted(lively.kubeconfig, "operator") as (made, path):
        lively.kubeconfig = path
        yield made


def children(bench: Bench) -> dict[str, list[str]]:
    """Uids of everything there is for Models, by kind."""
    return {kind: sorted(item["metadata"]["uid"] for item in bench.items_of(kind)) for kind in CHILDREN}


def test_writes_that_are_throttled_come_later(lively: Bench, front: ApiFront) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating() as operator:
        eventually(lambda: operator.ready() == (True, "leading"), "it leads")
        front.throttled = 6
        lively.until("digits", "Reconciling", "False", "Done")

    assert front.throttled == 0
    assert [write.code for write in front.writes].count(429) == 6


def test_watches_that_lost_their_place_list_again(lively: Bench, front: ApiFront) -> None:
    front.expired = 2 * len(BY_NAME)
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        lively.ask("digits", source={"name": "digits", "version": "2"})
        lively.until("digits", "Reconciling", "False", "Done")

    assert front.expired == 0


def test_a_watch_that_says_nothing_is_noticed(lively: Bench, front: ApiFront, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_watch, "WATCH_SECONDS", 1)
    monkeypatch.setattr(api_server, "_READ_SECONDS", 2.0)
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
        front.silent = True
        lively.ask("digits", source={"name": "digits", "version": "2"})
        watches = front.watches
        eventually(lambda: front.watches >= watches + len(BY_NAME), "the watches are begun again")
        front.silent = False
        lively.until("digits", "Reconciling", "False", "Done")

    assert lively.status("digits")["version"] == "2"


@pytest.mark.parametrize("seconds", [0.2, pytest.param(2.0, marks=pytest.mark.proof)])
def test_a_slow_api_server_only_takes_longer(
    lively: Bench, front: ApiFront, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One wait is longer than one call takes, and shorter than it takes to ask for all kinds."""
    monkeypatch.setattr(process, "_LONGEST_WAIT", 2.5 * seconds)
    front.delay = seconds
    lively.ask("digits", **DIGITS)
    with lively.operating(lease_seconds=15) as operator:
        lively.until("digits", "Reconciling", "False", "Done", seconds=300)
        held = operator.lease.held

    assert held
    assert not [write for write in front.writes if write.code == 0]


def test_while_registry_and_store_are_away_what_serves_serves_on(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
    before, reachable, store = children(lively), lively.settings.store, lively.store
    away = reachable.model_copy(update={"endpoint": "http://127.0.0.1:1"})
    lively.settings, lively.store = lively.settings.model_copy(update={"store": away}), S3Store(away)
    with lively.operating() as operator:
        lively.ask("digits", source={"name": "digits", "version": "2"})
        said = lively.until("digits", "EntryResolved", "Unknown", "Unreachable")
        serving = lively.condition("digits", "Serving")
        healthy = operator.healthy()

    assert "127.0.0.1:1" in said["message"]
    assert (serving["status"], healthy) == ("True", (True, "ok"))
    assert children(lively) == before
    lively.settings, lively.store = lively.settings.model_copy(update={"store": reachable}), store
    with lively.operating():
        lively.until("digits", "Reconciling", "False", "Done")
    assert lively.status("digits")["version"] == "2"


def test_a_namespace_that_is_deleted_in_the_middle_leaves_nothing_to_do(lively: Bench, front: ApiFront) -> None:
    lively.ask("digits", **DIGITS)
    key = Key(lively.namespace, "digits")
    with lively.operating() as operator:
        lively.until("digits", "Reconciling", "False", "Done")
        assert lively.api.run("kubectl", "delete", "namespace", lively.namespace, "--wait=false").returncode == 0
        lively.edit("Model", "digits", {"spec": {"source": {"version": "2"}}})
        refused = eventually(lambda: [one for one in front.writes if one.code == 403], "a write is refused")
        model = lively.get("Model", "digits")
        empty(lively)
        eventually(lambda: operator.cache.model(key) is None, "the Model is gone")
        eventually(lambda: not operator.queue.knows(key), "nothing is left to do")
        begun = len(front.writes)

        assert len(refused) < 20
        assert operator.cache.children(key) == {}
        assert operator.observer.probes.of(key) == {}
        assert model is not None
        assert operator.claims.of(Model.of(model)) == ()
        operator.queue.add(key)
        eventually(lambda: not operator.queue.knows(key), "a look at what is gone")
        assert [write for write in front.writes[begun:] if not write.of_lease] == []


def empty(bench: Bench) -> None:
    """What the namespace controller does: it deletes all there is."""
    cluster: Cluster = bench.cluster
    for kind in ("Model", *CHILDREN):
        for item in bench.items_of(kind):
            cluster.delete(Ref(kind, bench.namespace, item["metadata"]["name"]))


@pytest.mark.proof
def test_etcd_that_is_killed_and_started_again_costs_nothing_but_time(lively: Bench) -> None:
    lively.ask("digits", **DIGITS)
    with lively.operating() as operator:
        lively.until("digits", "Reconciling", "False", "Done")
        before = children(lively)
        with restarted_etcd(lively.api.kubeconfig.parent.parent):
            eventually(lambda: not operator.lease.held, "nobody leads while nothing can be written")
        eventually(lambda: operator.lease.held, "it leads again")
        lively.ask("digits", source={"name": "digits", "version": "2"})
        lively.until("digits", "Reconciling", "False", "Done", seconds=120)
        healthy = operator.healthy()

    assert (before["Service"] != [], healthy) == (True, (True, "ok"))


@contextmanager
def restarted_etcd(folder: Path) -> Iterator[None]:
    """etcd of the API server in that folder is killed, and started again as it was when the block ends."""
    lines = {place.parent.name: place.read_text() for place in Path("/proc").glob("[0-9]*/cmdline")}
    started = {pid: line.split("\0")[:-1] for pid, line in lines.items() if str(folder / "etcd") in line}
    [(pid, words)] = [(int(pid), words) for pid, words in started.items() if words[0].endswith("/etcd")]
    os.kill(pid, signal.SIGKILL)
    try:
        yield
    finally:
        command = ["setpriv", "--pdeathsig", "SIGKILL", *words]
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
