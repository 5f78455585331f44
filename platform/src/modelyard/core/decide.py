"""From what is to what should be done: the whole of Modelyard's judgement in one pure function.

    want        spec -> entry -> build -> revision, as far as they go          (`wanted.py`)
    proceed     the rollout's state by evidence and commands                   (`course.py`, `rollout.py`)
    advance     revisions one step on: start, answer, join, share, drain       (`orders.py`, `revisions.py`)
    desire      the objects these revisions need, minus what is as wanted      (`desired/`, `drift.py`)
    say         conditions, status and events                                  (`report.py`)

Deciding twice in a row, with the first plan carried out in between, gives an empty second plan.
"""

from dataclasses import replace
from typing import Any

from modelyard.api.rollout_status import GateVerdict, Phase, RolloutStatus
from modelyard.api.status import Stage
from modelyard.settings import Settings

from .artifacts.optimization import POLL_SECONDS
from .artifacts.resolve import resolve, target
from .drift import must_apply
from .names import host, predictor, preview_route_name, sticky_policy_name
from .plan import Plan, Warmup
from .reporting import status as report
from .reporting.cleanup import finished_jobs
from .reporting.view import DecisionView, answered, replicas_ready
from .resources.build_jobs import job, optimize_job
from .resources.check_jobs import comparison, load_test
from .resources.scaling import scales
from .resources.serving import inference_service, service_account, store_secret
from .revisions import lifecycle
from .revisions.lifecycle import RevisionFacts
from .revisions.route_status import mentioned, programmed
from .rollout import advance, traffic_target
from .rollout.context import RolloutContext
from .rollout.effective_spec import effective_spec
from .rollout.load_test_rate import load_rate
from .rollout.publication import routing_plan
from .rollout.stored_status import with_times
from .snapshot import Ref, Snapshot

_ASKED = frozenset({Stage.STARTING, Stage.JOINING, Stage.LEAVING, Stage.DRAINING})


def decide(snapshot: Snapshot, settings: Settings) -> Plan:
    """What should be done about one Model now."""
    snapshot = with_times(snapshot)
    if "deletionTimestamp" in snapshot.model.metadata:
        return Plan()
    before = snapshot.model.status
    scene = _scene(snapshot, settings)
    rollout = advance.advance(scene)
    allowed = traffic_target.limited_by_capacity(rollout, before.revisions, snapshot)
    now = lifecycle.advance(
        before.revisions, traffic_target.traffic_target(allowed, scene.wanted.revision, snapshot.now), scene.facts
    )
    shown = routing_plan(snapshot, now, rollout, settings.gateway)
    outlook = DecisionView(snapshot, settings, scene.wanted, rollout, now, shown)
    status, events = report.status(outlook)
    waits = (
        lifecycle.next_deadline(now, scene.facts),
        advance.next_deadline(scene.at(rollout)),
        _progress(outlook),
        outlook.wanted.wait,
        outlook.wanted.optimizing.wait if outlook.wanted.optimizing is not None else None,
    )
    return Plan(
        status=status,
        apply=tuple(one for one in _objects(outlook) if _due(snapshot, one)),
        scale=scales(snapshot, now, traffic_target.min_replicas(rollout)),
        delete=(
            *_finished_revisions(outlook),
            *_finished_routes(outlook),
            *finished_jobs(outlook),
        ),
        events=events,
        warmups=_warmups(outlook),
        requeue_after=min((one for one in waits if one is not None), default=None),
    )


def _scene(snapshot: Snapshot, settings: Settings) -> RolloutContext:
    status = snapshot.model.status
    found, facts = advance.initial_state(status), _facts(snapshot, settings)
    return RolloutContext(snapshot, settings, resolve(snapshot, settings), tuple(status.revisions), facts, found)


def _facts(snapshot: Snapshot, settings: Settings) -> RevisionFacts:
    before, rollout = snapshot.model.status.revisions, advance.initial_state(snapshot.model.status)
    shown = routing_plan(snapshot, before, rollout, settings.gateway)
    return RevisionFacts(
        now=snapshot.now,
        ready=frozenset(one.name for one in before if replicas_ready(snapshot, one.name)),
        answered=frozenset(one.name for one in before if answered(snapshot, one.name)),
        programmed=programmed(snapshot, shown.routes, settings.gateway),
        settle=settings.serving.settle_seconds,
        drain=settings.serving.drain_seconds,
        start=settings.serving.start_seconds,
    )


def _objects(outlook: DecisionView) -> list[dict[str, Any]]:
    """Everything the Model should have now."""
    model, wanted, settings = outlook.model, outlook.wanted, outlook.settings
    credentials = outlook.snapshot.credentials
    objects: list[dict[str, Any]] = []
    if wanted.job and wanted.entry is not None and wanted.build is not None:
        objects.append(job(model.name, wanted.entry, wanted.build.digest, target(model, settings), settings))
    if wanted.optimizing is not None and wanted.optimizing.job and wanted.entry is not None:
        digest = wanted.optimizing.status.digest
        objects.append(optimize_job(model, wanted.entry, digest, target(model, settings), settings))
    if outlook.revisions:
        objects += [store_secret(model, credentials), service_account(model)]
    objects += [inference_service(model, one, credentials.bucket) for one in outlook.revisions]
    return [*objects, *_checks(outlook), *outlook.routing.policies, *outlook.routes]


def _checks(outlook: DecisionView) -> list[dict[str, Any]]:
    """The Job that examines the candidate now, unless it has given its answer."""
    rollout, settings = outlook.rollout, outlook.settings
    snapshot = replace(outlook.snapshot, model=effective_spec(outlook.model, rollout))
    by_name = {one.name: one for one in outlook.revisions}
    candidate, stable = by_name.get(rollout.candidate), by_name.get(rollout.stable)
    if candidate is None or stable is None or not outlook.programmed:
        return []
    if rollout.at is Phase.TESTING and not _answered(rollout, "loadTest"):
        return [load_test(snapshot.model, candidate, load_rate(snapshot, stable, candidate), settings)]
    if rollout.at is Phase.MIRRORING and not _answered(rollout, "shadow"):
        return [comparison(snapshot.model, stable, candidate, settings)]
    return []


def _answered(rollout: RolloutStatus, gate: str) -> bool:
    found = rollout.gate(gate)
    return found is not None and found.verdict in (GateVerdict.PASS, GateVerdict.FAIL)


def _due(snapshot: Snapshot, wanted: dict[str, Any]) -> bool:
    metadata = wanted["metadata"]
    observed = snapshot.child(wanted["kind"], metadata["name"], metadata["namespace"])
    if wanted["kind"] == "Job" and observed is not None:
        return False
    return must_apply(wanted, observed)


def _finished_revisions(outlook: DecisionView) -> tuple[Ref, ...]:
    """Revisions no longer kept, once the gateway carries routes that do not name them."""
    keep = {one.name for one in outlook.revisions}
    gone = [one for one in outlook.snapshot.of_kind("InferenceService") if one["metadata"]["name"] not in keep]
    return tuple(
        Ref("InferenceService", outlook.model.namespace, one["metadata"]["name"])
        for one in gone
        if "deletionTimestamp" not in one["metadata"]
        and outlook.programmed
        and not mentioned(outlook.snapshot, predictor(one["metadata"]["name"]))
    )


def _finished_routes(outlook: DecisionView) -> tuple[Ref, ...]:
    """What a preview or an A/B test had published, when it is over."""
    if not outlook.routes:
        return ()
    keep = {(one["kind"], one["metadata"]["name"]) for one in (*outlook.routes, *outlook.routing.policies)}
    passing = {preview_route_name(outlook.model.name), sticky_policy_name(outlook.model.name)}
    return tuple(
        Ref(kind, outlook.model.namespace, one["metadata"]["name"])
        for kind in ("HTTPRoute", "GRPCRoute", "BackendTrafficPolicy")
        for one in outlook.snapshot.of_kind(kind)
        if one["metadata"]["name"] in passing and (kind, one["metadata"]["name"]) not in keep
        if "deletionTimestamp" not in one["metadata"]
    )


def _progress(outlook: DecisionView) -> float | None:
    """Seconds until it is looked how far an optimization is."""
    return POLL_SECONDS if outlook.wanted.optimizing is not None and outlook.wanted.optimizing.running else None


def _warmups(outlook: DecisionView) -> tuple[Warmup, ...]:
    """Ask every revision that may take traffic, can be reached, and has not answered yet."""
    if not outlook.programmed:
        return ()
    model, snapshot = outlook.model, outlook.snapshot
    address = host(model.name, model.namespace, outlook.settings.gateway.domain)
    return tuple(
        Warmup(one.name, one.digest, model.name, address)
        for one in outlook.revisions
        if (one.stage in _ASKED or one.name == outlook.rollout.candidate)
        and replicas_ready(snapshot, one.name)
        and not answered(snapshot, one.name)
    )
