"""Jobs nobody needs any more: of builds in the store, of specs that were changed, of checks that were answered, and
those that failed and have to give way to the next try."""

from modelyard.api.model import Model
from modelyard.api.rollout_status import Phase
from modelyard.core.artifacts.resolve import wanted_digest
from modelyard.core.conditions import epoch
from modelyard.core.names import BUILD_LABEL, CHECK_LABEL, NAMESPACE_LABEL, job_name, optimize_job_name
from modelyard.core.snapshot import Object, Ref

from .view import DecisionView


def finished_jobs(view: DecisionView) -> tuple[Ref, ...]:
    """References to the Jobs that can be deleted, each once."""
    refs = (*_builds(view), *_dropped_optimizations(view), *_checks(view))
    return tuple(dict.fromkeys(refs))


def _builds(view: DecisionView) -> tuple[Ref, ...]:
    """The Jobs of builds that are in the store, and failed ones that are to be made again."""
    artifact, names = view.artifact, list[str]()
    if view.snapshot.built is True and artifact.entry is not None:
        names.append(job_name(wanted_digest(view.model, artifact.entry, view.settings)))
    if artifact.optimizing is not None and artifact.optimizing.made:
        names.append(optimize_job_name(artifact.optimizing.status.digest))
    if artifact.job_again and artifact.build is not None:
        names.append(job_name(artifact.build.digest))
    if artifact.optimizing is not None and artifact.optimizing.again:
        names.append(optimize_job_name(artifact.optimizing.status.digest))
    refs = [Ref("Job", view.settings.operator.namespace, name) for name in names]
    return tuple(ref for ref in refs if _stands(view.snapshot.children.get(ref)))


def _dropped_optimizations(view: DecisionView) -> tuple[Ref, ...]:
    """Optimizations under way for an earlier spec of this Model; none while its entry is not known.

    A Model of another namespace may wait for the same build; a Job labelled with that Model is left to it.
    """
    artifact = view.artifact
    if artifact.entry is None:
        return ()
    optimizing = artifact.optimizing
    keep = optimize_job_name(optimizing.status.digest) if optimizing is not None and optimizing.kept else ""
    return tuple(
        Ref("Job", job["metadata"]["namespace"], job["metadata"]["name"])
        for job in view.snapshot.of_kind("Job")
        if _optimizes(job, view.model) and job["metadata"]["name"] != keep and _stands(job)
    )


def _optimizes(job: Object, model: Model) -> bool:
    """Whether a Job makes a build and was made for that Model."""
    labels = job["metadata"].get("labels", {})
    return BUILD_LABEL in labels and labels.get(NAMESPACE_LABEL) == model.namespace


def _stands(manifest: Object | None) -> bool:
    """Whether an object is there and nobody deletes it."""
    return manifest is not None and "deletionTimestamp" not in manifest["metadata"]


def _checks(view: DecisionView) -> tuple[Ref, ...]:
    """Jobs that examined a candidate, once what they found is in the status; in their phase, one to be made again."""
    rollout, now = view.rollout, view.snapshot.now
    again = {gate.name for gate in rollout.gates if gate.next_attempt_time and epoch(gate.next_attempt_time) <= now}
    examined = rollout.at not in (Phase.TESTING, Phase.MIRRORING)
    labelled = [(job["metadata"].get("labels", {}).get(CHECK_LABEL), job) for job in view.snapshot.of_kind("Job")]
    return tuple(
        Ref("Job", job["metadata"]["namespace"], job["metadata"]["name"])
        for gate, job in labelled
        if gate is not None and (examined or gate in again) and _stands(job)
    )
