"""Two replicas: one leads; the other takes over at once when that is asked to stop, later when it is silent."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.leader_election import LEASE_NAME
from tests.support.operator.bench import Bench, eventually

MODELYARD = Path(sys.executable).with_name("modelyard")


@contextlib.contextmanager
def replica(bench: Bench, name: str, lease_seconds: float) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """`modelyard operator` as the image starts it, with its log."""
    store = bench.settings.store
    options = {"namespace": bench.settings.operator.namespace, "leaseSeconds": lease_seconds, "metricsPort": 0}
    config = {
        "store": {"endpoint": store.endpoint, "bucket": store.bucket},
        "gateway": {"namespace": bench.settings.gateway.namespace, "url": bench.settings.gateway.url},
        "serving": {"drainSeconds": 0.3, "settleSeconds": 0.1},
        "operator": options,
    }
    path, log = bench.folder / f"{name}.yaml", bench.folder / f"{name}.log"
    path.write_text(yaml.safe_dump(config))
    environment = {
        **os.environ,
        "KUBECONFIG": str(bench.kubeconfig),
        "MODELYARD_CONFIG": str(path),
        "MODELYARD_OPERATOR_IDENTITY": name,
        "MODELYARD_STORE_ACCESS_KEY_ID": store.access_key_id,
        "MODELYARD_STORE_SECRET_ACCESS_KEY": store.secret_access_key.get_secret_value(),
    }
    with log.open("wb") as sink:
        process = subprocess.Popen([str(MODELYARD), "operator"], env=environment, stderr=sink)
    try:
        yield process, log
    finally:
        process.kill()
        process.wait()


def holder(bench: Bench) -> str:
    """Who holds the Lease; empty when nobody does."""
    found = bench.cluster.get(Ref("Lease", bench.settings.operator.namespace, LEASE_NAME))
    return found["spec"].get("holderIdentity", "") if found else ""


def said(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_sigterm_hands_over_at_once_and_the_other_goes_on(lively: Bench) -> None:
    patient = 600
    with replica(lively, "first", patient) as (first, first_log):
        eventually(lambda: holder(lively) == "first", "the first leads")
        with replica(lively, "second", patient) as (_, second_log):
            lively.ask("digits", source={"name": "digits", "version": "1"})
            lively.until("digits", "Reconciling", "False", "Done")
            eventually(lambda: second_log.exists() and second_log.stat().st_size >= 0, "the second runs")
            first.send_signal(signal.SIGTERM)
            eventually(lambda: holder(lively) == "second", "the second leads, long before the lease expires")
            assert first.wait(60) == 0
            lively.ask("faces", source={"name": "digits", "version": "2"})
            lively.until("faces", "Reconciling", "False", "Done")

    assert {"leadership", "applied", "stopping"} <= {line["message"] for line in said(first_log)}
    assert lively.settings.store.secret_access_key.get_secret_value() not in first_log.read_text()


def test_a_killed_leader_is_replaced_when_its_lease_has_run_out(lively: Bench) -> None:
    with replica(lively, "first", 2) as (first, _):
        eventually(lambda: holder(lively) == "first", "the first leads")
        with replica(lively, "second", 2):
            first.kill()
            eventually(lambda: holder(lively) == "second", "the second leads")
            lively.ask("digits", source={"name": "digits", "version": "1"})
            lively.until("digits", "Reconciling", "False", "Done")


def test_who_loses_the_lease_writes_nothing_more(lively: Bench) -> None:
    with lively.operating("loser") as loser:
        eventually(lambda: loser.lease.held and loser.watches.complete, "it leads")
        lease = Ref("Lease", lively.settings.operator.namespace, LEASE_NAME)
        taken = {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 3600}}
        lively.cluster.merge(lease, taken)
        eventually(lambda: not loser.lease.held, "it noticed")
        lively.ask("digits", source={"name": "digits", "version": "1"})
        eventually(lambda: loser.cache.model(Key(lively.namespace, "digits")), "it sees the Model")

        def refused() -> bool:
            loser.workers.work(Key(lively.namespace, "digits"))
            return loser.metrics.value("modelyard_reconcile_seconds_count", outcome="not_leading") >= 1

        eventually(refused, "it has something to write once the registry has answered, and may not")
        assert lively.status("digits") == {}
        assert loser.ready() == (True, "following")
