"""What is wrong with a Model, step by step, in words for people.

The path is walked in its order: Model, entry, build, optimization, each revision (InferenceService, pods, replicas,
warm-up), number of replicas, cost, rollout, routes, gateway, data, retraining. Everything on it gives one `Step`; the
first bad one is where to begin, because the steps after it wait for it. Causes in pods and routes are those the
operator itself sees (`core.revisions`), so `explain` and the conditions never disagree.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from modelyard.api.model import Model
from modelyard.api.rollout_status import Outcome
from modelyard.api.status import RevisionStatus, Stage
from modelyard.clients.metrics.response_cache import CacheCounts
from modelyard.core.conditions import REQUESTS_FAIL
from modelyard.core.event_types import means_harm
from modelyard.core.failure_causes import OUTSIDE
from modelyard.core.names import (
    BUILD_LABEL,
    REVISION_LABEL,
    build_label,
    job_name,
    main_routes,
    optimize_job_name,
    predictor,
)
from modelyard.core.ownership import NAME_TAKEN, OBJECT_REFUSED
from modelyard.core.revisions import pod_failures, route_status
from modelyard.core.revisions.refused_pods import refused_pods
from modelyard.core.snapshot import Object
from modelyard.settings import Settings

from .explained import autoscaling_view, cost_view
from .explained.data_view import data_steps
from .explained.path_step import PathStep, Standing
from .explained.retraining_view import retraining_steps


@dataclass(frozen=True)
class ClusterObjects:
    """The world around one Model: objects of any kind in it, its build's Job and pods, the Gateway.

    `logs` are the last lines of containers that ended badly, by pod name; `operator_silence` says why no operator
    leads, empty while one does or nobody may ask; `cache_counts` how often the serving revision gave an answer again.
    """

    model: Model
    objects: Sequence[Object] = ()
    gateway: Object | None = None
    logs: Mapping[str, str] = field(default_factory=dict)
    operator_silence: str = ""
    cache_counts: CacheCounts | None = None

    def find(self, kind: str, name: str) -> Object | None:
        """The object of that kind and name, or None."""
        return next((item for item in self.objects if item["kind"] == kind and item["metadata"]["name"] == name), None)

    def labelled(self, kind: str, label: str, value: str) -> list[Object]:
        """All objects of a kind with that label."""
        return [
            item
            for item in self.objects
            if item["kind"] == kind and item["metadata"].get("labels", {}).get(label) == value
        ]


_UNDER_WAY = {"Building", "Optimizing", "EntryUnresolved", "Publishing", "NoRevision"}


def diagnose(facts: ClusterObjects, settings: Settings) -> tuple[PathStep, ...]:
    """All steps of the Model's path, in order; never empty, one alone while the operator has said nothing."""
    first = _operator(facts, settings) or _taken(facts.model) or _model(facts.model, settings)
    if not facts.model.status.conditions:
        return (first,)
    entry = _condition(facts, "Entry", "EntryResolved", "modelyard entries")
    reached = (entry, _build(facts, settings), _optimization(facts, settings))
    steps = [first, *(step for step in reached if step is not None)]
    for revision in facts.model.status.revisions:
        steps.append(_revision(facts, revision))
    steps += (*replicas_step(facts), *cost_steps(facts))
    return (
        *steps,
        *_rollout(facts.model),
        *_routes(facts, settings),
        *_gateway(facts, settings),
        *data_steps(facts.model),
        *retraining_steps(facts.model),
    )


def replicas_step(facts: ClusterObjects) -> list[PathStep]:
    """Why the serving revision has so many replicas, as a list of one step; none without `spec.scaling`."""
    model, known = facts.model, facts.model.status.scaling
    if known is None or model.spec.scaling is None:
        return []
    fewest, most = model.spec.replica_range()
    rollout = model.status.rollout
    kept = rollout.replicas if rollout is not None and rollout.active and rollout.stable == model.status.revision else 0
    floor = f" The rollout keeps at least {min(kept, most)}." if kept > fewest else ""
    seen = autoscaling_view.seen_now(facts.objects, predictor(model.status.revision))
    found = f"{known.desired_replicas} of {fewest} to {most}. {known.message}{floor}{seen}"
    harm = means_harm(known.reason)
    remedy = "`modelyard doctor` says which autoscaler there is and why; see config.autoscaling" if harm else ""
    return [PathStep("Replicas", Standing.BAD if harm else Standing.GOOD, found, remedy)]


def cost_steps(facts: ClusterObjects) -> list[PathStep]:
    """What the Model costs, and what its cache saves; none where no prices are set and nothing is kept."""
    said = {"Cost": cost_view.cost_sentence(facts.model)}
    said["Cache"] = cost_view.cache_sentence(facts.model, facts.cache_counts)
    return [PathStep(subject, Standing.GOOD, sentence) for subject, sentence in said.items() if sentence]


def conclusion(steps: Sequence[PathStep]) -> PathStep:
    """The step to begin with: the first bad one, else the first that is on its way, else the last."""
    for verdict in (Standing.BAD, Standing.WAITING):
        for step in steps:
            if step.verdict is verdict:
                return step
    return steps[-1]


def _operator(facts: ClusterObjects, settings: Settings) -> PathStep | None:
    """Nobody writes what the conditions say while no operator leads, so they are as old as its silence."""
    if not facts.operator_silence:
        return None
    sentence = f"{facts.operator_silence}: what the Model's status says was true before, and nothing is decided now."
    home = settings.operator.namespace
    remedy = f"kubectl -n {home} get pods; kubectl -n {home} logs deploy/modelyard-operator"
    return PathStep("Operator", Standing.BAD, sentence, remedy)


def _taken(model: Model) -> PathStep | None:
    """Objects of others stand under names that the Model needs, or the API server takes none there."""
    said = _said(model, NAME_TAKEN)
    if said:
        return PathStep("Names", Standing.BAD, said, "it goes on by itself once the names are free")
    said = _said(model, OBJECT_REFUSED)
    return PathStep("Objects", Standing.BAD, said, "it goes on by itself once that is mended") if said else None


def _said(model: Model, reason: str) -> str:
    """What a condition with that reason says; empty when none has it. Ready may be true while a candidate fails."""
    given = (model.status.condition(kind) for kind in ("Ready", "Reconciling"))
    return next((condition.message for condition in given if condition is not None and condition.reason == reason), "")


def _model(model: Model, settings: Settings) -> PathStep:
    where = f"{model.namespace}/{model.name}"
    if "deletionTimestamp" in model.metadata:
        return PathStep("Model", Standing.WAITING, f"{where} is being deleted.")
    if model.status.observed_generation < model.generation:
        return PathStep(
            "Model",
            Standing.WAITING,
            f"the operator has not taken up the latest version of {where} yet.",
            "if this lasts more than a few seconds, `modelyard doctor` says whether the operator runs; its log: "
            f"kubectl -n {settings.operator.namespace} logs deploy/modelyard-operator",
        )
    return PathStep("Model", Standing.GOOD, f"{where} asks for {model.spec.source}; the operator has taken it up.")


def _build(facts: ClusterObjects, settings: Settings) -> PathStep | None:
    build = facts.model.status.build
    if build is None:
        return _condition(facts, "Build", "Built", "modelyard get --watch")
    if _about_optimization(facts.model):
        known = facts.model.status.optimization
        plain = PathStep("Build", Standing.GOOD, "the artifact is in the store as the entry is.")
        return None if known is not None and known.digest == build.digest else plain
    log = _log_of(job_name(build.digest), settings)
    step = _condition(facts, "Build", "Built", log)
    if build.next_attempt_time and step is not None:
        return replace(step, verdict=Standing.BAD, remedy=f"it is tried again by itself; to look closer: {log}")
    failure = pod_failures.of_job(facts.labelled("Pod", BUILD_LABEL, build_label(build.digest)), facts.logs)
    if failure and step and step.verdict is Standing.WAITING:
        return PathStep("Build", Standing.BAD, failure, log)
    return step


def _about_optimization(model: Model) -> bool:
    """Whether the condition Built speaks of the optimized artifact."""
    known, condition = model.status.optimization, model.status.condition("Built")
    return known is not None and condition is not None and condition.message == known.message


def _optimization(facts: ClusterObjects, settings: Settings) -> PathStep | None:
    """How far the optimization is, or why it failed; None when the spec asks for none."""
    known, subject = facts.model.status.optimization, "Optimization"
    if known is None:
        return None
    if known.variant:
        return PathStep(subject, Standing.GOOD, known.message)
    log = _log_of(optimize_job_name(known.digest), settings)
    if known.next_attempt_time:
        return PathStep(subject, Standing.BAD, known.message, f"it is tried again by itself; to look closer: {log}")
    failure = pod_failures.of_job(facts.labelled("Pod", BUILD_LABEL, build_label(known.digest)), facts.logs)
    if failure and not known.failure:
        return PathStep(subject, Standing.BAD, failure, log)
    if _about_optimization(facts.model):
        return _condition(facts, subject, "Built", log)
    return PathStep(subject, Standing.WAITING, known.message)


def _log_of(job: str, settings: Settings) -> str:
    return f"kubectl -n {settings.operator.namespace} logs job/{job}"


def _condition(facts: ClusterObjects, subject: str, kind: str, command: str) -> PathStep | None:
    condition = facts.model.status.condition(kind)
    if condition is None:
        return None
    if condition.status == "True":
        return PathStep(subject, Standing.GOOD, condition.message)
    if condition.reason in OUTSIDE:
        return PathStep(
            subject, Standing.BAD, condition.message, "it is tried again by itself; `modelyard doctor` finds why"
        )
    if condition.status == "Unknown" or condition.reason in _UNDER_WAY:
        return PathStep(subject, Standing.WAITING, condition.message, command)
    return PathStep(subject, Standing.BAD, condition.message, f"to look closer: {command}")


def _revision(facts: ClusterObjects, revision: RevisionStatus) -> PathStep:
    """InferenceService, pods, replicas, warm-up: the first that is missing."""
    subject = f"Revision {revision.name}"
    gone = f"version {revision.version} is on its way out ({revision.stage})."
    if revision.stage is Stage.STANDBY:
        return PathStep(subject, Standing.GOOD, f"version {revision.version} stands by to take the traffic back.")
    if revision.stage not in (Stage.STARTING, Stage.JOINING, Stage.SERVING):
        return PathStep(subject, Standing.GOOD, gone)
    if facts.find("InferenceService", revision.name) is None:
        return PathStep(subject, Standing.WAITING, "its InferenceService is not there yet; the operator makes it.")
    failure = pod_failures.pod_failure(facts.labelled("Pod", REVISION_LABEL, revision.name), facts.logs)
    if failure:
        return PathStep(subject, Standing.BAD, failure.message, _pod_command(facts.model, revision))
    deployment = facts.find("Deployment", predictor(revision.name))
    refused = refused_pods(facts.find("InferenceService", revision.name), deployment)
    if refused:
        command = f"kubectl -n {facts.model.namespace} describe inferenceservice {revision.name}"
        return PathStep(subject, Standing.BAD, refused.message, command)
    ready, desired = _replicas(deployment)
    if desired == 0:
        return PathStep(subject, *_without_deployment(facts, revision))
    if ready < desired:
        verdict = Standing.WAITING
        return PathStep(
            subject, verdict, f"{ready} of {desired} replicas are ready.", _pod_command(facts.model, revision)
        )
    if not revision.ready:
        return _unanswered(facts.model, subject)
    serving = facts.model.status.condition("Serving")
    if serving is not None and serving.reason == REQUESTS_FAIL and revision.name in serving.message:
        return PathStep(subject, Standing.BAD, serving.message, _log_command(facts.model, revision))
    weight = f"{revision.weight} % of the traffic"
    return PathStep(
        subject, Standing.GOOD, f"version {revision.version}: {ready} of {desired} replicas ready, {weight}."
    )


def _unanswered(model: Model, subject: str) -> PathStep:
    failed = _said(model, "WarmupFailed")
    if failed:
        build = model.status.build.digest if model.status.build else "the build"
        return PathStep(
            subject,
            Standing.BAD,
            failed,
            f"the artifact may not fit the server: check report.json of {build}",
        )
    return PathStep(subject, Standing.WAITING, "its replicas are ready; the warm-up inference is still to be answered.")


def _replicas(deployment: Object | None) -> tuple[int, int]:
    if deployment is None:
        return 0, 0
    return deployment.get("status", {}).get("readyReplicas", 0), deployment["spec"].get("replicas", 1)


def _without_deployment(facts: ClusterObjects, revision: RevisionStatus) -> tuple[Standing, str, str]:
    """KServe made no Deployment, or somebody scaled it to nothing."""
    command = f"kubectl -n {facts.model.namespace} describe inferenceservice {revision.name}"
    if facts.find("Deployment", predictor(revision.name)) is not None:
        return Standing.BAD, "its Deployment is scaled to 0 replicas; the operator scales it back.", command
    return Standing.WAITING, "KServe has not made its Deployment yet.", command


def _pod_command(model: Model, revision: RevisionStatus) -> str:
    return f"kubectl -n {model.namespace} describe pods -l {REVISION_LABEL}={revision.name}"


def _log_command(model: Model, revision: RevisionStatus) -> str:
    return f"kubectl -n {model.namespace} logs -l {REVISION_LABEL}={revision.name} -c kserve-container"


def _rollout(model: Model) -> Iterator[PathStep]:
    """Where a rollout stands, or why the last revision was refused; nothing when there is none to speak of."""
    rollout, reference = model.status.rollout, f"{model.name} -n {model.namespace}"
    if rollout is None:
        return
    if rollout.active:
        weight = f", {rollout.weight} % of the traffic" if rollout.weight else ""
        word = f" ({rollout.reason})" if rollout.reason not in ("", rollout.phase) else ""
        version = f"version {rollout.version}, " if rollout.version else ""
        sentence = f"{version}{rollout.phase}{weight}{word}: {rollout.message}"
        yield PathStep("Rollout", Standing.WAITING, sentence, f"modelyard rollout watch {reference}")
        return
    last = next((record for record in rollout.history if record.revision == rollout.rejected), None)
    if last is None:
        return
    sentence = f"version {last.version} ended as {last.outcome} ({last.reason}): {last.message}"
    if last.outcome is Outcome.REPORTED:
        yield PathStep("Rollout", Standing.GOOD, sentence)
        return
    again = f"name a better version in spec.source, or try it once more: modelyard rollout retry {reference}"
    yield PathStep("Rollout", Standing.BAD, sentence, again)


def _routes(facts: ClusterObjects, settings: Settings) -> Iterator[PathStep]:
    if not facts.model.status.revisions:
        return
    name = facts.model.name
    for kind, called in main_routes(name):
        subject = f"{kind} {called}"
        route = facts.find(kind, called)
        if route is None:
            yield PathStep(
                subject, Standing.WAITING, "it is not there yet; it comes with the first pods of a revision."
            )
            continue
        failure = route_status.route_failure(route, settings.gateway)
        command = f"kubectl -n {facts.model.namespace} describe {kind.lower()} {called}"
        if failure:
            yield PathStep(subject, Standing.WAITING if " waits for " in failure else Standing.BAD, failure, command)
        else:
            yield _traffic(facts, subject, route, command)


def _traffic(facts: ClusterObjects, subject: str, route: Object, command: str) -> PathStep:
    """Who gets the route's traffic, and whether there is anybody to answer it."""
    backends = route["spec"]["rules"][0]["backendRefs"]
    total = sum(backend.get("weight", 1) for backend in backends)
    weights = (
        {backend["name"]: 100 * backend.get("weight", 1) / total for backend in backends if backend.get("weight", 1)}
        if total
        else {}
    )
    silent = [name for name in weights if _replicas(facts.find("Deployment", name))[0] == 0]
    split = ", ".join(f"{weight:.3g} % to {name}" for name, weight in weights.items()) or "no traffic to anybody"
    starting = {
        predictor(revision.name) for revision in facts.model.status.revisions if revision.stage is Stage.STARTING
    }
    if silent and starting.issuperset(silent):
        return PathStep(
            subject, Standing.WAITING, f"accepted, {split}; nobody answers there before the pods are ready."
        )
    if silent or not weights:
        sentence = f"accepted, but {split}, and nobody ready answers there: callers get 503."
        return PathStep(subject, Standing.BAD, sentence, command)
    return PathStep(subject, Standing.GOOD, f"accepted; {split}.")


def _gateway(facts: ClusterObjects, settings: Settings) -> Iterator[PathStep]:
    where = f"{settings.gateway.namespace}/{settings.gateway.name}"
    command = f"kubectl -n {settings.gateway.namespace} describe gateway {settings.gateway.name}"
    if facts.gateway is None:
        yield PathStep(
            "Gateway",
            Standing.BAD,
            f"there is no Gateway {where}.",
            "`modelyard doctor` says what is missing and how to install it",
        )
        return
    conditions = {condition["type"]: condition for condition in facts.gateway.get("status", {}).get("conditions", [])}
    programmed = conditions.get("Programmed", {"status": "Unknown", "message": "its controller has said nothing"})
    if programmed["status"] == "True":
        yield PathStep("Gateway", Standing.GOOD, f"{where} is programmed.")
    else:
        yield PathStep("Gateway", Standing.BAD, f"{where} is not programmed: {programmed.get('message', '')}.", command)
