"""From what is to what should be done: all of Modelyard's decisions in one pure function.

    resolve     spec -> entry -> build -> revision, as far as they go        (`artifacts/resolve.py`)
    proceed     the rollout's state by evidence and commands                 (`rollout/advance.py`)
    advance     revisions one stage on: start, join, serve, leave, drain     (`rollout/traffic_target.py`, `revisions/`)
    desire      the objects these revisions need and do not have yet         (`resources/`, `drift.py`)
    retrain     whether a new version is to be trained                       (`retraining/`)
    report      conditions, status and events                                (`reporting/`)

Deciding twice in a row, with the first plan carried out in between, gives an empty second plan.
"""

from dataclasses import replace
from typing import Any, NamedTuple

from modelyard.api.rollout_status import GateVerdict, Phase, RolloutStatus
from modelyard.api.status import RevisionStatus, Stage
from modelyard.settings import Settings

from .artifacts.optimization import POLL_SECONDS
from .artifacts.resolve import resolve, target
from .artifacts.signatures import must_be_signed
from .autoscaling.objects import autoscalers, finished_autoscalers
from .drift import must_apply
from .names import (
    host,
    patience_name,
    predictor,
    preview_route_name,
    sampled_routes,
    sticky_policy_name,
)
from .ownership import NamesToAsk, begun, identity, names_to_ask, with_own_children
from .plan import Plan, Warmup
from .reporting import status as report
from .reporting.cleanup import finished_jobs
from .reporting.cost import cost_deadline
from .reporting.monitoring import monitoring_deadline
from .reporting.scaling import scaling_deadline
from .reporting.view import DecisionView
from .resources.build_jobs import job, optimize_job
from .resources.check_jobs import LOAD_TEST, REPLAY, SHADOW, comparison, load_test, replay, unknown_scenario
from .resources.claimed_places import with_claims
from .resources.disruption import disruption_budgets
from .resources.holding import holding_slices
from .resources.scaling import scales
from .resources.serving import inference_service, service_account, store_secret
from .retraining.decision import retraining
from .revisions import lifecycle
from .revisions.idleness import HELD_STATES, IdleFacts, advance_idle, idle_facts, idle_wait
from .revisions.lifecycle import RevisionFacts
from .revisions.readiness import answered, replicas_ready
from .revisions.route_status import mentioned, programmed
from .revisions.sampling import desired_sample, recorded, sampling_deadline
from .rollout import advance, clock, traffic_target
from .rollout.context import RolloutContext
from .rollout.effective_spec import effective_spec
from .rollout.load_test_rate import load_rate
from .rollout.publication import RoutingPlan, routing_plan
from .rollout.stored_status import with_revisions, with_times
from .snapshot import Ref, Snapshot, StartCheck

_WARMED_UP_STAGES = frozenset({Stage.STARTING, Stage.JOINING, Stage.LEAVING, Stage.DRAINING})


def decide(snapshot: Snapshot, settings: Settings) -> Plan:
    """The plan for one Model: the status to write, and the objects to apply, scale and delete.

    Nothing but `snapshot` and `settings` decides, so the same snapshot always gives the same plan. A Model that is
    being deleted gets an empty one: Kubernetes removes what it owns.
    """
    snapshot = with_claims(with_own_children(with_times(snapshot)), settings.gateway)
    if "deletionTimestamp" in snapshot.model.metadata:
        return Plan()
    snapshot = with_revisions(snapshot, settings)
    before = snapshot.model.status
    stood = _Published.of(snapshot, settings, tuple(before.revisions), advance.initial_state(before))
    context = _context(snapshot, settings, stood)
    rollout = advance.advance(context)
    allowed = traffic_target.limited_by_capacity(rollout, before.revisions, snapshot)
    now = lifecycle.advance(
        before.revisions, traffic_target.traffic_target(allowed, context.artifact.revision, snapshot.now), context.facts
    )
    published = stood.when(snapshot, settings, now, rollout)
    if published.programmed:
        now = lifecycle.carried(now, snapshot.now)
    resting = _idle_facts(context, rollout, now)
    idle = advance_idle(before.idle, resting)
    view = DecisionView(snapshot, settings, context.artifact, rollout, now, published.plan, published.programmed, idle)
    retrained = retraining(snapshot, settings, view.serving_revision, rollout)
    view = replace(view, retraining=retrained.status)
    said = report.status(view)
    floors = traffic_target.min_replicas(rollout, snapshot)
    wanted = [*_objects(view), *retrained.jobs]
    scalers = autoscalers(snapshot, settings, now, floors, rollout.candidate, idle)
    changes = scales(snapshot, now, floors, idle)
    over = (
        _finished_children(view, wanted) + retrained.finished + finished_autoscalers(snapshot, settings, now, scalers)
    )
    touched = (*over, *(change.deployment for change in changes))
    names = names_to_ask(snapshot, [_ref(desired) for desired in (*wanted, *scalers)], touched)
    waits = (
        lifecycle.next_deadline(now, context.facts),
        advance.next_deadline(context.at(rollout)),
        _progress(view),
        idle_wait(idle, resting),
        view.artifact.wait,
        view.artifact.optimizing.wait if view.artifact.optimizing is not None else None,
        names.wait,
        said.wait,
        scaling_deadline(view),
        sampling_deadline(snapshot, settings.recorder.installed),
        cost_deadline(view),
        monitoring_deadline(view),
        retrained.wait,
    )
    return Plan(
        status=said.status,
        claims=names.claims,
        rechecks=names.rechecks,
        apply=tuple(desired for desired in wanted if _due(snapshot, desired, names)),
        scale=tuple(change for change in changes if change.deployment not in names.refused),
        delete=tuple(ref for ref in over if ref not in names.refused),
        events=said.events,
        warmups=_warmups(view),
        autoscalers=tuple(desired for desired in scalers if _due(snapshot, desired, names)),
        requeue_after=min((max(wait, 0.0) for wait in waits if wait is not None), default=None),
    )


class _Published(NamedTuple):
    """What is to publish these revisions in this state of the rollout, and whether the gateway carries it."""

    revisions: tuple[RevisionStatus, ...]
    rollout: RolloutStatus
    plan: RoutingPlan
    programmed: bool

    @classmethod
    def of(
        cls, snapshot: Snapshot, settings: Settings, revisions: tuple[RevisionStatus, ...], rollout: RolloutStatus
    ) -> "_Published":
        def planned(sample: int) -> RoutingPlan:
            gateway, wait = settings.gateway, settings.holder.max_wait_seconds
            return routing_plan(snapshot, revisions, rollout, gateway, wait, sample, settings.operator.namespace)

        now = recorded(snapshot)
        plan = planned(now)
        carried = programmed(snapshot, plan.routes, settings.gateway)
        asked = desired_sample(snapshot, settings.recorder.installed, rollout.active, carried)
        if asked != now:
            plan = planned(asked)
            carried = programmed(snapshot, plan.routes, settings.gateway)
        return cls(revisions, rollout, plan, carried)

    def when(
        self, snapshot: Snapshot, settings: Settings, revisions: tuple[RevisionStatus, ...], rollout: RolloutStatus
    ) -> "_Published":
        """The same for other revisions or another state; this one when nothing has moved, as in most passes."""
        if (revisions, rollout) == (self.revisions, self.rollout):
            return self
        return self.of(snapshot, settings, revisions, rollout)


def _context(snapshot: Snapshot, settings: Settings, published: _Published) -> RolloutContext:
    facts = _facts(snapshot, settings, published)
    resolved = resolve(snapshot, settings)
    return RolloutContext(snapshot, settings, resolved, published.revisions, facts, published.rollout)


def _facts(snapshot: Snapshot, settings: Settings, published: _Published) -> RevisionFacts:
    before = snapshot.model.status.revisions
    return RevisionFacts(
        now=snapshot.now,
        ready=frozenset(revision.name for revision in before if replicas_ready(snapshot, revision.name)),
        answered=frozenset(revision.name for revision in before if answered(snapshot, revision.name)),
        programmed=published.programmed,
        settle=settings.serving.settle_seconds,
        drain=settings.serving.drain_seconds,
        start=clock.start_patience(snapshot.model.status, settings.serving.start_seconds, snapshot.now),
    )


def _idle_facts(context: RolloutContext, rollout: RolloutStatus, now: tuple[RevisionStatus, ...]) -> IdleFacts | None:
    """What decides whether there are replicas while nobody asks; a rollout, or another spec than serves, needs them."""
    asked = context.artifact.revision
    at_rest = not rollout.active and asked is not None and all(revision.name == asked.name for revision in now)
    return idle_facts(context.snapshot, now, at_rest, context.settings.serving.settle_seconds)


def _objects(view: DecisionView) -> list[dict[str, Any]]:
    """Every object the Model should have now, whether it is there already or not."""
    model, artifact, settings = view.model, view.artifact, view.settings
    credentials = view.snapshot.credentials
    objects: list[dict[str, Any]] = []
    policies = view.snapshot.verification.policies if must_be_signed(model, settings) else None
    if artifact.job and artifact.entry is not None and artifact.build is not None:
        hardware = target(model, settings)
        objects.append(job(model.name, artifact.entry, artifact.build.digest, hardware, settings, policies))
    if artifact.optimizing is not None and artifact.optimizing.job and artifact.entry is not None:
        digest = artifact.optimizing.status.digest
        objects.append(optimize_job(model, artifact.entry, digest, target(model, settings), settings, policies))
    if view.revisions:
        objects += [store_secret(model, credentials), service_account(model)]
    check = view.snapshot.start_check
    objects += [
        inference_service(model, revision, credentials.bucket, check)
        for revision in view.revisions
        if not revision.verified or isinstance(check, StartCheck)
    ]
    if settings.serving.disruption_budgets:
        objects += disruption_budgets(
            view.snapshot, view.revisions, traffic_target.min_replicas(view.rollout, view.snapshot), view.idle
        )
    if view.idle is not None and view.idle.state in HELD_STATES:
        objects += holding_slices(model, view.idle.revision, view.snapshot.holders)
    return [*objects, *_checks(view), *view.routing.policies, *view.routes]


def _checks(view: DecisionView) -> list[dict[str, Any]]:
    """The Job that examines the candidate now, as a list of none or one; none once its gate has passed or failed."""
    rollout, settings = view.rollout, view.settings
    snapshot = replace(view.snapshot, model=effective_spec(view.model, rollout))
    by_name = {revision.name: revision for revision in view.revisions}
    candidate, stable = by_name.get(rollout.candidate), by_name.get(rollout.stable)
    if candidate is None or stable is None or not view.programmed:
        return []
    asked = snapshot.model.spec.rollout
    if rollout.at is Phase.TESTING and asked.replay is not None and not _answered(rollout, REPLAY):
        return [replay(snapshot.model, stable, candidate, settings)]
    if rollout.at is Phase.TESTING and asked.load_test is not None and not _answered(rollout, LOAD_TEST):
        if unknown_scenario(snapshot.model, settings):
            return []
        return [load_test(snapshot.model, candidate, load_rate(snapshot, stable, candidate), settings)]
    if rollout.at is Phase.MIRRORING and not _answered(rollout, SHADOW):
        return [comparison(snapshot.model, stable, candidate, settings)]
    return []


def _answered(rollout: RolloutStatus, gate: str) -> bool:
    result = rollout.gate(gate)
    return result is not None and result.verdict in (GateVerdict.PASS, GateVerdict.FAIL)


def _ref(desired: dict[str, Any]) -> Ref:
    return Ref(desired["kind"], desired["metadata"]["namespace"], desired["metadata"]["name"])


def _due(snapshot: Snapshot, desired: dict[str, Any], names: NamesToAsk) -> bool:
    ref = _ref(desired)
    observed = snapshot.children.get(ref)
    if ref.kind == "Job" and observed is not None:
        return False
    return not _held_back(snapshot, ref, names) and must_apply(desired, observed)


def _held_back(snapshot: Snapshot, ref: Ref, names: NamesToAsk) -> bool:
    """Whether it waits for a name that somebody else holds: its own, that of its pods' identity, any before the start.

    What the API server refused waits until it is tried again. Pods never run with a ServiceAccount or a Secret of
    others. At the start the plan's claims see to that.
    """
    if ref in names.refused:
        return True
    started = begun(snapshot)
    if started and ref.kind == "InferenceService" and not identity(snapshot.model) <= snapshot.children.keys():
        return True
    return (ref in names.held and ref not in snapshot.children) if started else bool(names.held)


def _finished_children(view: DecisionView, wanted: list[dict[str, Any]]) -> tuple[Ref, ...]:
    """What there is and nobody needs any more."""
    return (
        *_finished_revisions(view),
        *_finished_routes(view),
        *_finished(view, wanted, "PodDisruptionBudget"),
        *_finished(view, wanted, "EndpointSlice"),
        *_finished(view, wanted, "ReferenceGrant"),
        *finished_jobs(view),
    )


def _finished_revisions(view: DecisionView) -> tuple[Ref, ...]:
    """InferenceServices of revisions no longer kept, once the gateway carries routes that do not name them."""
    keep = {revision.name for revision in view.revisions}
    gone = [service for service in view.snapshot.of_kind("InferenceService") if service["metadata"]["name"] not in keep]
    return tuple(
        Ref("InferenceService", view.model.namespace, service["metadata"]["name"])
        for service in gone
        if "deletionTimestamp" not in service["metadata"]
        and view.programmed
        and not mentioned(view.snapshot, predictor(service["metadata"]["name"]))
    )


def _finished_routes(view: DecisionView) -> tuple[Ref, ...]:
    """The routes and policies that a preview, an A/B test or a sample had published, once it is over."""
    if not view.routes:
        return ()
    keep = {(published["kind"], published["metadata"]["name"]) for published in (*view.routes, *view.routing.policies)}
    name = view.model.name
    passing = {preview_route_name(name), sticky_policy_name(name), patience_name(name)}
    passing |= {route for _, route in sampled_routes(name)}
    return tuple(
        Ref(kind, view.model.namespace, child["metadata"]["name"])
        for kind in ("HTTPRoute", "GRPCRoute", "BackendTrafficPolicy")
        for child in view.snapshot.of_kind(kind)
        if child["metadata"]["name"] in passing and (kind, child["metadata"]["name"]) not in keep
        if "deletionTimestamp" not in child["metadata"]
    )


def _finished(view: DecisionView, wanted: list[dict[str, Any]], kind: str) -> tuple[Ref, ...]:
    """What there is of a kind and nobody needs any more: budgets of one replica, holders of a revision that serves."""
    keep = {desired["metadata"]["name"] for desired in wanted if desired["kind"] == kind}
    return tuple(
        Ref(kind, view.model.namespace, child["metadata"]["name"])
        for child in view.snapshot.of_kind(kind)
        if child["metadata"]["name"] not in keep and "deletionTimestamp" not in child["metadata"]
    )


def _progress(view: DecisionView) -> float | None:
    """Seconds until the progress of a running optimization is read again; None while none runs."""
    return POLL_SECONDS if view.artifact.optimizing is not None and view.artifact.optimizing.running else None


def _warmups(view: DecisionView) -> tuple[Warmup, ...]:
    """A warm-up request for every revision that may take traffic, can be reached, and has not answered yet."""
    if not view.programmed:
        return ()
    model, snapshot = view.model, view.snapshot
    address = host(model.name, model.namespace, view.settings.gateway.domain)
    return tuple(
        Warmup(revision.name, revision.digest, model.name, address)
        for revision in view.revisions
        if (revision.stage in _WARMED_UP_STAGES or revision.name == view.rollout.candidate)
        and replicas_ready(snapshot, revision.name)
        and not answered(snapshot, revision.name)
    )
