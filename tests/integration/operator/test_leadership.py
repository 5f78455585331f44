"""Two replicas: one leads; the other takes over at once when that is asked to stop, later when it is silent."""

import signal

from modelyard.core.snapshot import Ref
from modelyard.operator.cache.objects import Key
from modelyard.operator.leader_election import LEASE_NAME
from tests.support.operator.bench import Bench, eventually
from tests.support.operator.replicas import holder, replica, said


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
