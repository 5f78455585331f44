"""From what is to what should be done: the whole of Modelyard's judgement in one pure function.

    want        spec -> entry -> build -> revision, as far as they go          (`wanted.py`)
    advance     revisions one step on: start, answer, switch, drain, remove    (`revisions.py`)
    desire      the objects these revisions need, minus what is as wanted      (`desired/`, `drift.py`)
    say         conditions, status and events                                  (`report.py`)

Deciding twice in a row, with the first plan carried out in between, gives an empty second plan.
"""

from collections.abc import Sequence
from typing import Any

from modelyard.api.status import RevisionStatus, Stage
from modelyard.settings import Settings

from . import report, revisions
from .desired.building import job
from .desired.routing import routes
from .desired.scaling import scales
from .desired.serving import inference_service, service_account, store_secret
from .drift import must_apply
from .names import host, job_name, predictor
from .outlook import Outlook, answered, replicas_ready
from .plan import Plan, Warmup
from .revisions import Facts
from .routes import mentioned, programmed
from .snapshot import Ref, Snapshot
from .wanted import target, want


def decide(snapshot: Snapshot, settings: Settings) -> Plan:
    """What should be done about one Model now."""
    if "deletionTimestamp" in snapshot.model.metadata:
        return Plan()
    wanted = want(snapshot, settings)
    facts = _facts(snapshot, settings)
    now = revisions.advance(snapshot.model.status.revisions, wanted.revision, facts)
    outlook = Outlook(snapshot, settings, wanted, now, _routes(snapshot, now, settings))
    status, events = report.status(outlook)
    return Plan(
        status=status,
        apply=tuple(one for one in _objects(outlook) if _due(snapshot, one)),
        scale=scales(snapshot, now),
        delete=(*_finished_revisions(outlook), *_finished_jobs(outlook)),
        events=events,
        warmups=_warmups(outlook),
        requeue_after=revisions.next_deadline(now, facts),
    )


def _facts(snapshot: Snapshot, settings: Settings) -> Facts:
    before = snapshot.model.status.revisions
    return Facts(
        now=snapshot.now,
        ready=frozenset(one.name for one in before if replicas_ready(snapshot, one.name)),
        answered=frozenset(one.name for one in before if answered(snapshot, one.name)),
        programmed=programmed(snapshot, _routes(snapshot, before, settings), settings.gateway),
        settle=settings.serving.settle_seconds,
        drain=settings.serving.drain_seconds,
        start=settings.serving.start_seconds,
    )


def _routes(snapshot: Snapshot, at: Sequence[RevisionStatus], settings: Settings) -> list[dict[str, Any]]:
    reachable = frozenset(one.name for one in at if snapshot.child("Service", predictor(one.name)) is not None)
    return routes(snapshot.model, revisions.backends(at, reachable), settings.gateway)


def _objects(outlook: Outlook) -> list[dict[str, Any]]:
    """Everything the Model should have now."""
    model, wanted, settings = outlook.model, outlook.wanted, outlook.settings
    credentials = outlook.snapshot.credentials
    objects: list[dict[str, Any]] = []
    if wanted.job and wanted.entry is not None and wanted.build is not None:
        objects.append(job(model.name, wanted.entry, wanted.build.digest, target(model, settings), settings))
    if outlook.revisions:
        objects += [store_secret(model, credentials), service_account(model)]
    objects += [inference_service(model, one, credentials.bucket) for one in outlook.revisions]
    return [*objects, *outlook.routes]


def _due(snapshot: Snapshot, wanted: dict[str, Any]) -> bool:
    metadata = wanted["metadata"]
    observed = snapshot.child(wanted["kind"], metadata["name"], metadata["namespace"])
    if wanted["kind"] == "Job" and observed is not None:
        return False
    return must_apply(wanted, observed)


def _finished_revisions(outlook: Outlook) -> tuple[Ref, ...]:
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


def _finished_jobs(outlook: Outlook) -> tuple[Ref, ...]:
    """The Job of a build that is in the store."""
    build = outlook.wanted.build
    if build is None or outlook.snapshot.built is not True:
        return ()
    done = Ref("Job", outlook.settings.operator.namespace, job_name(build.digest))
    found = outlook.snapshot.children.get(done)
    return (done,) if found is not None and "deletionTimestamp" not in found["metadata"] else ()


def _warmups(outlook: Outlook) -> tuple[Warmup, ...]:
    """Ask every revision that may take traffic, can be reached, and has not answered yet."""
    if not outlook.programmed:
        return ()
    model, snapshot = outlook.model, outlook.snapshot
    address = host(model.name, model.namespace, outlook.settings.gateway.domain)
    return tuple(
        Warmup(one.name, one.digest, model.name, address)
        for one in outlook.revisions
        if one.stage in (Stage.STARTING, Stage.JOINING, Stage.LEAVING, Stage.DRAINING)
        and replicas_ready(snapshot, one.name)
        and not answered(snapshot, one.name)
    )
