"""A small world around one Model: it carries out plans on an API server in memory and lets everything else live.

    look()     one reconcile pass of the operator: observe, decide, carry out; may be told to crash after n writes
    step()     KServe, the gateway and build Jobs do one thing each
    settle()   passes and steps until nobody has anything left to do, sleeping only as long as a plan asks to

`promises` watch every write on the way. What the operator keeps in memory (`probes`, counted
traffic) is lost in a `restart`.
"""

from collections.abc import Callable
from typing import Any

from modelyard.api.model import Model
from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.api.optimization import Progress
from modelyard.api.status import ModelStatus, RevisionStatus
from modelyard.core.cluster_room import ClusterRoom
from modelyard.core.conditions import timestamp
from modelyard.core.decide import decide
from modelyard.core.names import (
    BUILD_LABEL,
    CHECK_LABEL,
    MODEL_LABEL,
    build_digest,
    job_name,
    optimize_job_name,
    predictor,
)
from modelyard.core.ownership import refusal
from modelyard.core.plan import Plan, Warmup
from modelyard.core.snapshot import (
    Check,
    Credentials,
    Failure,
    ForeignObject,
    Holders,
    OptimizedBuild,
    Probe,
    Ref,
    ResolvedEntry,
    RouteClaim,
    ScalingMeans,
    Snapshot,
)
from modelyard.core.traffic import Traffic, TrafficWindow
from modelyard.settings import Settings
from tests.support.objects.reports import FASTER
from tests.support.signing.facts import SigningFacts, signed_options
from tests.support.worlds.apiserver import ApiServer, copied
from tests.support.worlds.fake_controllers import Builders, Gateway, KServe, unanswered
from tests.support.worlds.invariants import Promises
from tests.support.worlds.users import Users

VERSIONS = ("1", "2", "3")
BROKEN = "3"
"""The builder refuses this version of every entry."""
AWAY = Failure("Unreachable", "The store does not answer; it is tried again.", retry=True)
REFUSED = Failure("UnsupportedModel", "Operator NoSuchOp is not supported; export the model with another opset.")
QUIET = 10
STEPS = 120


def nobody_asks() -> None:
    """What is known of room on nodes where nobody asks."""


class World:
    """Everything there is around one Model."""

    def __init__(self, settings: Settings, model: Model, now: float = 1_800_000_000.0) -> None:
        self.settings, self.now = settings, now
        self.api = ApiServer()
        self.promises = Promises(settings)
        self.model = model.model_dump(by_alias=True, exclude_none=True, mode="json")
        self.entries = {version: f"sha256:{version * 64}" for version in VERSIONS}
        self.aliases = {"champion": "1"}
        self.registry_away = self.store_away = self.asking = False
        self.store: set[str] = set()
        self.kserve = KServe(self.api, clock=self.timestamp)
        self.gateway = Gateway(self.api, settings.gateway)
        self.builders = Builders(self.api, self.store)
        self.builders.digests = {job_name(self.build_of(version)): self.build_of(version) for version in VERSIONS}
        self.builders.ends = {job_name(self.build_of(BROKEN)): REFUSED}
        self.gained, self.progress, self.users = FASTER, dict[str, Progress](), Users(settings.gateway)
        self.examined: dict[str, Check] = {}
        self._answers: dict[str, Check] = {}
        self.mute: set[str] = set()
        self.probes: dict[str, Probe] = {}
        self.foreign: dict[Ref, ForeignObject] = {}
        self.rivals: tuple[RouteClaim, ...] = ()
        self.scaling_means, self.rival_autoscaler = ScalingMeans(), ""
        self.holders, self.signing = Holders(), SigningFacts()
        self.monitoring: MonitoringStatus | Failure | None = None
        self.labelled: LabelledComparison | Failure | None = None
        self.retrained: Check | None = None
        self.room: Callable[[], ClusterRoom | Failure | None] = nobody_asks
        self.quiet: float | None = None
        self.logs: dict[str, str] = {}
        self.asked: list[Warmup] = []
        self.said: list[tuple[str, str]] = []

    # What is

    def timestamp(self) -> str:
        """The time, as Kubernetes writes it."""
        return timestamp(self.now)

    @property
    def name(self) -> str:
        return self.model["metadata"]["name"]

    @property
    def status(self) -> ModelStatus:
        return ModelStatus.model_validate(self.model["status"])

    def build_of(self, version: str) -> str:
        """Digest of the build of a version."""
        return build_digest(self.entries[version], self.name, signed_options(self.model, self.settings))

    def optimized_of(self, version: str) -> str:
        """Digest of the optimized build of a version as the spec asks for it; empty when it asks for none."""
        return self._optimized(self.entries[version])

    def _optimized(self, entry: str) -> str:
        options = Model.model_validate(self.model).spec.build_options("cpu")
        options |= signed_options(self.model, self.settings) if options else {}
        return build_digest(entry, self.name, options) if options else ""

    def revision(self, version: str) -> RevisionStatus:
        """The revision that serves or tries that version."""
        return next(revision for revision in self.status.revisions if revision.version == version)

    def stage_of(self, version: str) -> str | None:
        """Where the revision of a version stands; None when there is none."""
        return next((str(revision.stage) for revision in self.status.revisions if revision.version == version), None)

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and reason of a condition."""
        condition = self.status.condition(kind)
        return (condition.status, condition.reason) if condition else ("", "")

    def message(self, kind: str) -> str:
        """The sentence of a condition."""
        condition = self.status.condition(kind)
        return condition.message if condition else ""

    def object(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object of the Model's namespace."""
        return self.api.get(kind, self.model["metadata"]["namespace"], name)

    def names(self, kind: str) -> list[str]:
        """The names of all objects of a kind."""
        return [ref.name for ref, _ in self.api.of_kind(kind)]

    def weights(self, kind: str = "HTTPRoute", name: str = "") -> list[tuple[str, int]]:
        """Service and raw weight of both slots in the main rule of a route."""
        route = self.object(kind, name or self.name)
        assert route is not None
        return [(backend["name"], backend["weight"]) for backend in route["spec"]["rules"][0]["backendRefs"]]

    def snapshot(self) -> Snapshot:
        """What the operator would see now."""
        model = Model.model_validate(copied(self.model))
        entry = self._entry(model)
        known = entry if isinstance(entry, ResolvedEntry) else model.status.entry
        digest = build_digest(known.digest, self.name, signed_options(self.model, self.settings)) if known else ""
        optimized = self._optimized(known.digest) if known is not None else ""
        job = Ref("Job", self.settings.operator.namespace, job_name(digest))
        children = {ref: thing for ref, thing in self.api.objects.items() if self._seen(ref, thing, job)}
        alive = {ref.name for ref in children if ref.kind == "InferenceService"}
        self.probes = {name: probe for name, probe in self.probes.items() if name in alive}
        seen = Snapshot(
            now=self.now,
            model=model,
            entry=entry,
            built=AWAY if self.store_away else digest in self.store,
            build_failure=self._build_failure(job),
            optimization=self._optimization(optimized),
            children=children,
            probes=dict(self.probes),
            logs=dict(self.logs),
            traffic=self._traffic(),
            checks=self._checks(),
            foreign=dict(self.foreign),
            rivals=self.rivals,
            scaling_means=self.scaling_means,
            rival_autoscaler=self.rival_autoscaler,
            holders=self.holders,
            room=self.room(),
            **vars(self.signing),
            monitoring=self.monitoring,
            labelled=self.labelled,
            retraining=self.retrained,
            credentials=Credentials("http://store:8333", "modelyard", "us-east-1", "reader", "secret"),
        )
        return unanswered(seen) if self.asking else seen

    def _traffic(self) -> Traffic:
        """What was counted; a window without a request, after so many quiet seconds, where nobody asks."""
        if self.quiet is None:
            return self.users.seen()
        return Traffic((TrafficWindow(int(self.now), 20, {}),), quiet=self.quiet)

    def _entry(self, model: Model) -> ResolvedEntry | Failure:
        source = model.spec.source
        if self.registry_away:
            return AWAY
        version = source.version or self.aliases.get(source.alias or "")
        if version not in self.entries:
            return Failure("UnknownEntry", f"{source} is not in the registry; push it or correct spec.source.")
        return ResolvedEntry(source.name, version, self.entries[version])

    def _build_failure(self, job: Ref) -> Failure | None:
        stored = self.api.objects.get(job)
        return self.builders.failed[job.name] if stored and stored.get("status", {}).get("failed") else None

    def _optimization(self, digest: str) -> OptimizedBuild:
        if not digest:
            return OptimizedBuild()
        job = Ref("Job", self.settings.operator.namespace, optimize_job_name(digest))
        self.builders.digests[job.name] = digest
        if digest == self.optimized_of(BROKEN):
            self.builders.ends[job.name] = REFUSED
        built = AWAY if self.store_away else (self.gained if digest in self.store else None)
        return OptimizedBuild(built, self._build_failure(job), self.progress.get(digest))

    def _checks(self) -> dict[str, Check]:
        """The answers of examinations whose Job has ended, each as it was then; those that nobody spoke of pass."""
        checks = {}
        for _, job in self.api.of_kind("Job"):
            gate, ended = job["metadata"].get("labels", {}).get(CHECK_LABEL), job.get("status", {}).get("succeeded")
            if gate and ended:
                answer = self.examined.get(gate, Check(passed=True))
                checks[gate] = self._answers.setdefault(job["metadata"]["uid"], answer)
        return checks

    def _seen(self, ref: Ref, thing: dict[str, Any], job: Ref) -> bool:
        labels = thing["metadata"].get("labels", {})
        return (ref == job and BUILD_LABEL in labels) or labels.get(MODEL_LABEL) == self.name

    # What the operator does

    def decide(self) -> Plan:
        """What the operator would do now."""
        return decide(self.snapshot(), self.settings)

    def look(self, crash_after: int | None = None) -> Plan:
        """One reconcile pass; with `crash_after` the operator stops after so many writes and is started again."""
        plan = self.decide()
        writes: list[Callable[[], None]] = []
        if plan.status is not None:
            writes.append(lambda: self._write_status(plan))
        if self._names_free(plan):
            writes += [lambda child=child: self._apply(child) for child in plan.apply]
        writes += [lambda change=change: self._scale(change.deployment, change.replicas) for change in plan.scale]
        writes += [lambda ref=ref: self._delete(ref) for ref in plan.delete]
        writes += [lambda warmup=warmup: self._warm_up(warmup) for warmup in plan.warmups]
        writes += [lambda child=child: self._apply(child) for child in plan.autoscalers]
        for number, write in enumerate(writes):
            if number == crash_after:
                self.restart()
                break
            write()
        return plan

    def restart(self) -> None:
        """The operator starts anew and remembers nothing."""
        self.probes = {}
        self.foreign = {}
        self.users.forgotten()

    def _write_status(self, plan: Plan) -> None:
        assert plan.status is not None
        self.promises.status(ModelStatus.model_validate(plan.status))
        self.model["status"] = copied(plan.status)
        self.said += [(event.type, event.reason) for event in plan.events]

    def _names_free(self, plan: Plan) -> bool:
        for ref in plan.rechecks:
            self._taken(ref)
        taken = [self._taken(ref) for ref in plan.claims]
        return not any(taken)

    def _taken(self, ref: Ref) -> bool:
        """Whether somebody else has that name; the operator remembers it."""
        thing = self.api.objects.get(ref)
        refused = refusal(thing, self.model["metadata"]) if thing is not None else None
        self.foreign.pop(ref, None)
        if refused is not None:
            self.foreign[ref] = ForeignObject(refused, self.now)
        return refused is not None

    def _apply(self, child: dict[str, Any]) -> None:
        ref = Ref(child["kind"], child["metadata"]["namespace"], child["metadata"]["name"])
        if self._taken(ref):
            return
        self.promises.written(child, self.api.objects.get(ref))
        self.api.apply(child)

    def _scale(self, ref: Ref, replicas: int) -> None:
        self.api.edit(ref, lambda deployment: deployment["spec"].update(replicas=replicas))

    def _delete(self, ref: Ref) -> None:
        live = {route: thing["spec"] for route, thing in self.api.objects.items() if route.kind.endswith("Route")}
        self.promises.deleted(ref, {**self.gateway.carried, **live}, self.now)
        self.api.delete(ref)

    def _warm_up(self, warmup: Warmup) -> None:
        deployment = self.object("Deployment", predictor(warmup.revision)) or {}
        up = deployment.get("status", {}).get("readyReplicas", 0) > 0
        silent = warmup.digest in self.mute or not up
        probe = Probe(False, "503: no healthy upstream.") if silent else Probe(True)
        self.probes[warmup.revision] = probe
        self.asked.append(warmup)
        if probe.answered:
            self.promises.proven.add(warmup.revision)

    # What people and the rest of the world do

    def ask(self, version: str | None = None, alias: str | None = None, **spec: Any) -> None:
        """Somebody applies another spec."""
        if version or alias:
            source = {"version": version} if version else {"alias": alias}
            spec["source"] = {"name": "digits", **source}
        self.model["spec"] = {key: value for key, value in {**self.model["spec"], **spec}.items() if value is not None}
        self.model["metadata"] = {**self.model["metadata"], "generation": self.model["metadata"]["generation"] + 1}

    def build_everything(self) -> None:
        """All artifacts that can be built are in the store."""
        self.store.update(self.build_of(version) for version in VERSIONS if version != BROKEN)

    def lose(self, ref: Ref) -> None:
        """Somebody deletes a child."""
        if ref.kind in ("Service", "InferenceService"):
            self.promises.excused.add(predictor(ref.name.removesuffix("-predictor")))
        self.api.delete(ref)

    def edit(self, ref: Ref, change: Callable[[dict[str, Any]], None]) -> None:
        """Somebody edits a child."""
        self.promises.edited.add(ref)
        self.api.edit(ref, change)

    def sleep(self, seconds: float) -> None:
        """Time passes."""
        self.promises.carried(self.gateway.carried, self.gateway.carried, self.now)
        versions = (
            {predictor(revision.name): revision.version for revision in self.status.revisions}
            if self.model["status"]
            else {}
        )
        self.users.ask(self.gateway.carried, versions, self.now, self.now + seconds)
        self.now += seconds
        self.promises.carried(self.gateway.carried, self.gateway.carried, self.now)

    def step(self) -> bool:
        """Everything around moves one step; True when something changed."""
        before = self.gateway.carried
        changed = [self.kserve.step(), self.builders.step(), self.gateway.step()]
        self.promises.carried(before, self.gateway.carried, self.now)
        return any(changed)

    def calm_down(self) -> None:
        """Whatever was wrong around the Model is mended."""
        self.registry_away = self.store_away = self.asking = self.gateway.asleep = False
        self.kserve.faults.clear()
        self.mute.clear()

    def settle(self, steps: int = STEPS) -> Plan:
        """Run until nobody has anything left to do; returns the last plan, which writes nothing.

        Whoever asks again from time to time and has found nothing new QUIET times in a row has nothing left to do.
        """
        quiet = 0
        for _ in range(steps):
            probes = dict(self.probes)
            plan = self.look()
            moved = self.step()
            writes = plan.status or plan.apply or plan.scale or plan.delete
            quiet = 0 if writes or moved or self.probes != probes else quiet + 1
            if quiet:
                if plan.requeue_after is None or quiet == QUIET:
                    return plan
                self.sleep(plan.requeue_after)
        raise AssertionError(f"never calm; the last plan was {plan}")

    def run_until(self, reached: Callable[[], bool], steps: int = STEPS) -> None:
        """Run until something is true after a reconcile pass."""
        for _ in range(steps):
            plan = self.look()
            if reached():
                return
            if not self.step() and plan.empty:
                assert plan.requeue_after is not None, f"calm before it was reached: {self.status}"
                self.sleep(plan.requeue_after)
        raise AssertionError("never reached")
