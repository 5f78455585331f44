"""What the spec asks for: the steps from registry entry to revision, each one reached or not.

The steps come in order and the first that is not reached says why; the revision is known once the
artifact is in the store, because its name is a digest over everything that affects serving.

With `spec.optimize` there are two artifacts of an entry, and the optimized one is served as soon as it is in the
store (`optimization.py` says how far it is). Until then the plain one is, and it stays that

* while a rollout tries it, because a rollout is not interrupted by what is made from the same version;
* when a rollout refused it: what was made from a refused version is not tried;
* when nothing was better than the original: the same model need not be rolled out twice, but on replicas of another
  size, where that is what costs least.

No revision is begun whose contract breaks that of the one that serves (`contract_changes.py`).

With `optimize.wait` the plain one is never served.
"""

import re
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from modelyard.api.model import Model, Resources, Runtime
from modelyard.api.optimization import ORIGINAL
from modelyard.api.status import BuildStatus, EntryStatus, RevisionStatus, Stage
from modelyard.core.conditions import MAX_MESSAGE, ConditionUpdate, timestamp
from modelyard.core.names import MAX_NAMESPACE, build_digest, job_name, revision_name
from modelyard.core.snapshot import JOB_SUSPENDED, Failure, ResolvedEntry, Snapshot, suspended
from modelyard.settings import Settings

from .contract_changes import admitted
from .job_retries import Retry
from .optimization import optimization_state, optimized_digest, served
from .pod_metadata import pod_metadata
from .python_models import refused_code
from .replica_size import cheapest_size
from .resolved import ResolvedArtifact
from .signatures import SIGNED, must_be_signed, unverified

_VERSION = re.compile(r"(?<=.)(-v\d+)?(-[0-9a-f]{8})?$")
_WAITS = ConditionUpdate(None, "EntryUnresolved", "Nothing can be built before the entry is known.")
_PLAIN, _NOTHING_NEW = "the plain artifact serves", "nothing new is served"


def resolve(snapshot: Snapshot, settings: Settings) -> ResolvedArtifact:
    """Follow the steps from registry entry to revision as far as they go; the first that fails is in the conditions."""
    return admitted(snapshot, _resolved(snapshot, settings))


def _resolved(snapshot: Snapshot, settings: Settings) -> ResolvedArtifact:
    entry, model = known_entry(snapshot.model, snapshot.entry), snapshot.model
    if isinstance(entry, Failure):
        resolved = ConditionUpdate(None if entry.retry else False, entry.reason, entry.message)
        return ResolvedArtifact(resolved, _WAITS, stalled=not entry.retry)
    resolved = _found(entry)
    refused = unverified(snapshot, entry, settings) or refused_code(model, entry, target(model, settings))
    if refused is not None:
        update = ConditionUpdate(None if refused.retry else False, refused.reason, refused.message)
        return ResolvedArtifact(update, _WAITS, stalled=not refused.retry)
    if len(model.namespace) > MAX_NAMESPACE:
        return ResolvedArtifact(resolved, _too_long(model.namespace), entry, stalled=True)
    plain = _plain(snapshot, resolved, entry, settings)
    digest = optimized_digest(model, entry, target(model, settings), signed=must_be_signed(model, settings))
    return _optimized(snapshot, plain, entry, digest, settings) if digest else plain


def _found(entry: ResolvedEntry) -> ConditionUpdate:
    """What is known of the entry, and what keeps a newer one away."""
    message = f"{entry.name} version {entry.version} is in the registry."
    if entry.notice is None:
        return ConditionUpdate(True, "Found", message)
    return ConditionUpdate(True, entry.notice.reason, f"{message} {entry.notice.message}")


def _too_long(namespace: str) -> ConditionUpdate:
    """Nothing is built for a namespace in which KServe can serve nothing."""
    message = (
        f"KServe's host names have room for {MAX_NAMESPACE} characters of a namespace, and {namespace} has "
        f"{len(namespace)}: use a namespace with a shorter name."
    )
    return ConditionUpdate(False, "NamespaceTooLong", message)


def _plain(snapshot: Snapshot, resolved: ConditionUpdate, entry: ResolvedEntry, settings: Settings) -> ResolvedArtifact:
    """The steps to the plain artifact, that of the entry as it is."""
    model, digest = snapshot.model, wanted_digest(snapshot.model, entry, settings)
    build = BuildStatus(digest=digest)
    if snapshot.built is True or (isinstance(snapshot.built, Failure) and served(model, digest)):
        made = ConditionUpdate(
            True, "Published", f"The artifact of {entry.name} version {entry.version} is in the store."
        )
        return ResolvedArtifact(
            resolved, made, entry, build, revision=_revision(model, entry, digest, snapshot.now, settings)
        )
    return _unbuilt(snapshot, ResolvedArtifact(resolved, resolved, entry, build), settings)


def _optimized(
    snapshot: Snapshot, plain: ResolvedArtifact, entry: ResolvedEntry, digest: str, settings: Settings
) -> ResolvedArtifact:
    """Which of the two artifacts is to serve; one that serves already is not replaced by the plain one."""
    model = snapshot.model
    waits = waits_for_optimized(model) or served(model, digest)
    state = optimization_state(snapshot, entry, digest, settings, serves=_NOTHING_NEW if waits else _PLAIN)
    sized = cheapest_size(model, digest, snapshot.optimization)
    same = state.status.variant == ORIGINAL and sized is model
    stays = same or _tried(model, plain) or _refused(model, plain)
    if state.made and (waits or not stays):
        cache = model.spec.cache.size_bytes if model.spec.cache is not None else None
        revision = _revision(sized, entry, digest, snapshot.now, settings, cache)
        build = BuildStatus(digest=digest)
        return ResolvedArtifact(plain.resolved, state.update, entry, build, revision=revision, optimizing=state)
    if waits:
        known = state.status
        build = BuildStatus(
            digest=digest,
            failure=known.failure,
            reason=known.reason,
            attempts=known.attempts,
            next_attempt_time=known.next_attempt_time,
        )
        stalled = bool(known.failure)
        return ResolvedArtifact(plain.resolved, state.update, entry, build, stalled=stalled, optimizing=state)
    if plain.revision is None:
        return replace(plain, optimizing=state.put_off("Variants are tried once the plain artifact is in the store."))
    if _refused(model, plain):
        message = f"The rollout refused version {entry.version}, so it is not optimized."
        return replace(plain, optimizing=replace(state.put_off(message), kept=False))
    return replace(plain, built=state.update, optimizing=state)


def waits_for_optimized(model: Model) -> bool:
    """Whether the plain artifact is never served, because the spec says `optimize.wait`."""
    return model.spec.optimize is not None and model.spec.optimize.wait


def _tried(model: Model, plain: ResolvedArtifact) -> bool:
    """A rollout under way tries the plain artifact."""
    rollout, build, revision = model.status.rollout, plain.build, plain.revision
    if rollout is None or not rollout.active or build is None:
        return False
    by_name = revision is not None and revision.name == rollout.candidate
    return by_name or any(
        revision_status.digest == build.digest and revision_status.name == rollout.candidate
        for revision_status in model.status.revisions
    )


def _refused(model: Model, plain: ResolvedArtifact) -> bool:
    """The last rollout refused the plain artifact."""
    rollout = model.status.rollout
    return rollout is not None and plain.build is not None and rollout.rejected_build == plain.build.digest


def known_entry(model: Model, entry: ResolvedEntry | Failure) -> ResolvedEntry | Failure:
    """The registry's answer, or while the registry is away what it answered to this same source before."""
    known = model.status.entry
    if isinstance(entry, Failure) and entry.retry and known is not None and _still_meant(model, known):
        return ResolvedEntry(known.name, known.version, known.digest, python=known.python)
    return entry


def wanted_digest(model: Model, entry: ResolvedEntry, settings: Settings) -> str:
    """Digest of the plain build of an entry for this Model."""
    return build_digest(entry.digest, model.name, SIGNED if must_be_signed(model, settings) else {})


def _still_meant(model: Model, known: EntryStatus) -> bool:
    """A version never changes its meaning; an alias is only trusted while the spec is the one it was resolved for."""
    source = model.spec.source
    if source.version is not None:
        return (known.name, known.version) == (source.name, source.version)
    return model.status.observed_generation == model.generation


def _unbuilt(snapshot: Snapshot, so_far: ResolvedArtifact, settings: Settings) -> ResolvedArtifact:
    """Not in the store: the build failed before, fails now, runs, or must be started."""
    assert so_far.build is not None
    assert so_far.entry is not None
    known, failure = _known_build(snapshot.model, so_far.build.digest), snapshot.build_failure
    retry = Retry(known.attempts, known.next_attempt_time)
    if known.failure:
        failure = Failure(known.reason, known.failure)
    unknown = failure if failure is not None and failure.pending else snapshot.built
    if isinstance(unknown, Failure):
        update = ConditionUpdate(None, unknown.reason, unknown.message)
        return ResolvedArtifact(so_far.resolved, update, so_far.entry, known)
    if failure is not None and not failure.retry:
        message = failure.message[:MAX_MESSAGE]
        build = BuildStatus(digest=so_far.build.digest, failure=message, reason=failure.reason)
        update = ConditionUpdate(False, failure.reason, failure.message)
        return ResolvedArtifact(so_far.resolved, update, so_far.entry, build, stalled=True)
    if failure is not None:
        retry = retry.counted(snapshot.now)
        build = _waiting(so_far.build, retry)
        return replace(
            ResolvedArtifact(so_far.resolved, retry.condition_update(failure), so_far.entry, build, job=True),
            job_again=retry.due(snapshot.now),
            wait=retry.due_in(snapshot.now) or None,
        )
    update = _building(snapshot, job_name(so_far.build.digest), settings.operator.namespace)
    return ResolvedArtifact(so_far.resolved, update, so_far.entry, _waiting(so_far.build, retry.under_way()), job=True)


def _building(snapshot: Snapshot, name: str, namespace: str) -> ConditionUpdate:
    """That the Job of that name works on it, or that somebody keeps it from that."""
    held = suspended(snapshot.child("Job", name, namespace))
    if held:
        return ConditionUpdate(False, JOB_SUSPENDED, f"{held}: it builds once its spec.suspend is false.")
    return ConditionUpdate(False, "Building", f"Job {namespace}/{name} builds the artifact.")


def _known_build(model: Model, digest: str) -> BuildStatus:
    """What the status says of that build already."""
    known = model.status.build
    return known if known is not None and known.digest == digest else BuildStatus(digest=digest)


def _waiting(build: BuildStatus, retry: Retry) -> BuildStatus:
    return build.model_copy(update={"attempts": retry.attempts, "next_attempt_time": retry.next_attempt_time})


def target(model: Model, settings: Settings) -> str:
    """The hardware a Model's artifact is for: cpu or gpu; `auto` in the spec takes the platform's setting."""
    runtime = model.spec.serving.runtime
    return settings.serving.auto_runtime if runtime is Runtime.AUTO else runtime.value


def candidate_runtime(model: Model, settings: Settings) -> str:
    """Name of the ClusterServingRuntime of the revision on trial; of the next one while none was begun."""
    rollout = model.status.rollout
    name = rollout.candidate if rollout is not None else ""
    begun = (revision.runtime for revision in model.status.revisions if revision.name == name)
    return next(begun, _runtime(target(model, settings), settings))


def _runtime(hardware: str, settings: Settings) -> str:
    return settings.serving.gpu_runtime if hardware == "gpu" else settings.serving.cpu_runtime


def _revision(
    model: Model, entry: ResolvedEntry, digest: str, now: float, settings: Settings, cache: int | None = None
) -> RevisionStatus:
    """The revision this spec asks for. An existing one keeps the runtime it was made with (see `_kept`).

    `cache` are the bytes of its server for answers.
    """
    requested, placement = model.spec.serving.resources, model.spec.serving.placement()
    resources: dict[str, Any] | None = requested.canonical() if requested else None
    hardware = target(model, settings)
    runtime = _runtime(hardware, settings)
    kept = _kept(model, digest, resources, hardware, cache, settings)
    if kept is not None:
        return kept
    verified = must_be_signed(model, settings) or None  # its digest, and so the name, is another one already
    pods: dict[str, Any] = {"runtime": runtime, "resources": resources}
    if placement is not None:  # without one, names are as they were before there was any
        pods["placement"] = placement
    if cache is not None:
        pods["cache"] = cache
    name = revision_name(model.name, model.namespace, digest=digest, **pods)
    marks = pod_metadata(model.metadata, settings.propagate)
    return RevisionStatus(
        name=name,
        slot="a",
        digest=digest,
        version=entry.version,
        runtime=runtime,
        resources=resources,
        placement=placement,
        cache=cache,
        verified=verified,
        pod_labels=marks.labels,
        pod_annotations=marks.annotations,
        stage=Stage.STARTING,
        stage_start_time=timestamp(now),
    )


def _kept(
    model: Model, digest: str, resources: dict[str, Any] | None, hardware: str, cache: int | None, settings: Settings
) -> RevisionStatus | None:
    """One that already serves what this spec asks for, maybe with an older runtime: an upgrade restarts nothing."""
    gpu_now = hardware == "gpu"
    return next(
        (
            revision
            for revision in model.status.revisions
            if revision.digest == digest
            and _same_resources(revision.resources, resources)
            and revision.placement == model.spec.serving.placement()
            and revision.cache == cache
            and _is_gpu(revision.runtime, settings) == gpu_now
        ),
        None,
    )


def _same_resources(stored: dict[str, Any] | None, wanted: dict[str, Any] | None) -> bool:
    """Whether a revision has the wanted resources, in whatever way they were written when it was made."""
    if stored is None or stored == wanted:
        return stored == wanted
    try:
        return Resources.model_validate(stored).canonical() == wanted
    except ValidationError:
        return False


def _is_gpu(runtime: str, settings: Settings) -> bool:
    return _family(runtime) == _family(settings.serving.gpu_runtime)


def _family(runtime: str) -> str:
    """`modelyard-triton-cpu-v3`, `-v1` and `-v1-0f1e2d3c` are one family: the chart adds a hash of the spec."""
    return _VERSION.sub("", runtime)
