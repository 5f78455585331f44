"""From a key to a `Snapshot`: everything one decision may know, gathered without writing anything.

The Model and its children come from the cache; what the registry, the store, logs and warm-ups said comes from memory,
and what is not known yet is asked for in the background (`operator.polling`): nobody is waited for here. The builds a
Model needs are noted in `DesiredBuilds`, so that the end of a Job wakes all Models that wait for it.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping

from modelyard.api.model import Model
from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.monitoring.status import MonitoringStatus
from modelyard.api.report import OptimizationSummary
from modelyard.core.artifacts.optimization import optimized_digest, served
from modelyard.core.artifacts.resolve import candidate_runtime, known_entry, target, waits_for_optimized, wanted_digest
from modelyard.core.artifacts.signatures import must_be_signed
from modelyard.core.cluster_room import ClusterRoom
from modelyard.core.names import REVISION_LABEL, build_label, job_name, optimize_job_name
from modelyard.core.rollout.capacity.step_room import asks_for_room
from modelyard.core.snapshot import (
    Check,
    Credentials,
    Failure,
    Holders,
    Object,
    OptimizedBuild,
    Ref,
    ResolvedEntry,
    RouteClaim,
    ScalingMeans,
    Snapshot,
    StartCheck,
    Verification,
)
from modelyard.core.traffic import Traffic
from modelyard.operator.cache.objects import Key, ObjectCache, ref_of
from modelyard.operator.cache.ownership import ForeignObjects
from modelyard.settings import Settings

from .builds import BuildObserver
from .checks import CheckObserver
from .cluster_room import NOT_ASKED
from .crash_logs import CrashLogs
from .entries import EntryObserver
from .warmups import Warmups

_ENTRY_NOT_ASKED = Failure("Asking", "The registry has not been asked yet.", retry=True)


class DesiredBuilds:
    """Which Models want which builds, by the label of their Jobs; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, set[Key]] = {}
        self._labels: dict[Key, set[str]] = {}

    def note(self, key: Key, *digests: str) -> None:
        """That Model wants these builds, and no other any more; an empty digest means none."""
        labels = {build_label(digest) for digest in digests if digest}
        with self._lock:
            for label in self._labels.pop(key, ()):
                self._keys[label].discard(key)
                if not self._keys[label]:
                    del self._keys[label]
            if labels:
                self._labels[key] = labels
            for label in labels:
                self._keys.setdefault(label, set()).add(key)

    def of(self, label: str) -> list[Key]:
        """The Models that want the build with that label."""
        with self._lock:
            return sorted(self._keys.get(label, ()))


class SnapshotObserver:
    """Gathers snapshots; `now` gives seconds since the epoch."""

    def __init__(
        self,
        settings: Settings,
        cache: ObjectCache,
        entries: EntryObserver,
        builds: BuildObserver,
        crashes: CrashLogs,
        checks: CheckObserver,
        warmups: Warmups,
        traffic: Callable[[Key], Traffic] = lambda key: Traffic(),
        now: Callable[[], float] = time.time,
        credentials: Callable[[], Credentials] | None = None,
        rivals: Callable[[Model], tuple[RouteClaim, ...]] = lambda model: (),
        scaling_means: Callable[[], ScalingMeans] = ScalingMeans,
        rival_autoscaler: Callable[[Model], str] = lambda model: "",
        holders: Callable[[str], Holders] = lambda namespace: Holders(),
        room: Callable[[Key, str, str], ClusterRoom | Failure] | None = None,
        verification: Callable[[Key, Model, ResolvedEntry | Failure], Verification] | None = None,
        start_check: Callable[[], StartCheck | Failure] | None = None,
        monitoring: Callable[[Key, Model], MonitoringStatus | Failure | None] = lambda key, model: None,
        labelled: Callable[[Key, Model], LabelledComparison | Failure | None] = lambda key, model: None,
        retraining: Callable[[Key, Model, Iterable[Object]], Check | None] = lambda key, model, jobs: None,
    ) -> None:
        self._settings, self._cache, self._traffic, self.now = settings, cache, traffic, now
        self._entries, self._builds, self._crashes, self._checks = entries, builds, crashes, checks
        self._credentials = credentials or (lambda: _credentials(settings))
        self.probes, self._rivals, self._holders, self._rooms = warmups, rivals, holders, room
        self._scaling_means, self._rival_autoscaler = scaling_means, rival_autoscaler
        self._monitoring, self._labelled, self._retraining = monitoring, labelled, retraining
        self._verification, self._start_check = verification, start_check
        self.foreign = ForeignObjects()
        self.desired_builds = DesiredBuilds()

    def observe(self, key: Key, stored: Object) -> Snapshot:
        """Everything known around one Model. Raises pydantic's ValidationError when the stored Model does not parse."""
        model = Model.of(stored)
        children = self._cache.children(key)
        self.probes.retain(key, {ref.name for ref in children if ref.kind == "InferenceService"})
        entry = self._entries.resolve(key, model.spec.source, _meant(model))
        plain, optimized = self._desired_builds(model, entry)
        self.desired_builds.note(key, plain, optimized)
        jobs = self._job(job_name(plain)), self._job(optimize_job_name(optimized))
        children |= {ref_of(job): job for job in jobs if job is not None}
        now, signed = self.now(), must_be_signed(model, self._settings)
        was = served(model, plain)
        built = self._builds.built(key, plain, jobs[0], was=was, signed=signed) if plain else False
        optimization = self._builds.optimized(key, optimized, jobs[1], signed=signed) if optimized else OptimizedBuild()
        made = isinstance(optimization.built, OptimizationSummary)
        there = [digest for digest, is_there in ((plain, built is True), (optimized, made)) if is_there]
        return Snapshot(
            now=now,
            model=model,
            entry=entry,
            built=built,
            build_failure=self._builds.failure(key, jobs[0]),
            optimization=optimization,
            contracts=self._builds.contracts(key, model, there),
            children=children,
            probes=self.probes.of(key),
            logs=self._crashes.last_lines(key, children),
            traffic=self._traffic(key),
            checks=self._checks.of(key, _about_candidate(model, children)),
            credentials=self._credentials(),
            foreign=self.foreign.of(key, now),
            rivals=self._rivals(model),
            scaling_means=self._scaling_means(),
            rival_autoscaler=self._rival_autoscaler(model),
            holders=self._holders(model.namespace) if model.spec.may_rest or model.status.idle else Holders(),
            room=self._room(key, model),
            verification=self._verified(key, model, known_entry(model, entry)),
            start_check=self._check(model),
            monitoring=self._monitoring(key, model) if self._settings.recorder.installed else None,
            labelled=self._labelled(key, model) if self._settings.recorder.installed else None,
            retraining=self._retraining(key, model, [job for ref, job in children.items() if ref.kind == "Job"]),
        )

    def _optimization(self, key: Key, digest: str, job: Object | None, signed: bool) -> OptimizedBuild:
        """What is known of the optimized build; nothing where none is asked for."""
        return self._builds.optimized(key, digest, job, signed=signed) if digest else OptimizedBuild()

    def forget(self, key: Key) -> None:
        """The Model is gone."""
        self.desired_builds.note(key)
        self.probes.retain(key, ())
        self.foreign.forget(key)

    def _verified(self, key: Key, model: Model, entry: ResolvedEntry | Failure) -> Verification:
        """What is known of the entry's signatures, asked for where they are demanded."""
        if self._verification is None or not must_be_signed(model, self._settings):
            return Verification()
        return self._verification(key, model, entry)

    def _check(self, model: Model) -> StartCheck | Failure | None:
        """What its pods check their build with, if any of them is to."""
        checks = must_be_signed(model, self._settings) or any(one.verified for one in model.status.revisions)
        return self._start_check() if self._start_check is not None and checks else None

    def _room(self, key: Key, model: Model) -> ClusterRoom | Failure | None:
        """What the cluster has for more pods of a Model, asked for while a step of its rollout may begin."""
        if self._rooms is None or self._settings.serving.capacity_check == "off":
            return None
        if not asks_for_room(model):
            return NOT_ASKED
        return self._rooms(key, model.namespace, candidate_runtime(model, self._settings))

    def _job(self, name: str) -> Object | None:
        return self._cache.get(Ref("Job", self._settings.operator.namespace, name))

    def _desired_builds(self, model: Model, entry: ResolvedEntry | Failure) -> tuple[str, str]:
        """Digests of the plain and of the optimized build, empty where none is wanted.

        While the registry is away they are of the entry it named before.
        """
        known = known_entry(model, entry)
        if not isinstance(known, ResolvedEntry):
            return "", ""
        plain = "" if waits_for_optimized(model) else wanted_digest(model, known, self._settings)
        signed = must_be_signed(model, self._settings)
        return plain, optimized_digest(model, known, target(model, self._settings), signed=signed)


def _meant(model: Model) -> ResolvedEntry | None:
    """What the source of a Model meant when its status was written, unless it is another source by now."""
    known = known_entry(model, _ENTRY_NOT_ASKED)
    return known if isinstance(known, ResolvedEntry) else None


def _about_candidate(model: Model, children: Mapping[Ref, Object]) -> list[Object]:
    """The Jobs that check the revision on trial; what was found out about earlier ones is no evidence."""
    candidate = model.status.rollout.candidate if model.status.rollout else ""
    jobs = [thing for ref, thing in children.items() if ref.kind == "Job" and candidate]
    return [job for job in jobs if job["metadata"].get("labels", {}).get(REVISION_LABEL) == candidate]


def _credentials(settings: Settings) -> Credentials:
    store = settings.store
    secret = store.secret_access_key.get_secret_value()
    endpoint = store.serving_endpoint or store.endpoint
    return Credentials(endpoint, store.bucket, store.region, store.access_key_id, secret)
