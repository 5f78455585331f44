"""Jobs nobody needs any more: of builds in the store, of wishes that were dropped, of checks that were answered, and
those that failed and have to give way to the next try."""

from modelyard.api.model import Model
from modelyard.api.rollout_status import Phase
from modelyard.core.artifacts.resolve import wanted_digest
from modelyard.core.conditions import epoch
from modelyard.core.names import BUILD_LABEL, CHECK_LABEL, NAMESPACE_LABEL, job_name, optimize_job_name
from modelyard.core.snapshot import Object, Ref

from .view import DecisionView


def finished_jobs(outlook: DecisionView) -> tuple[Ref, ...]:
    """All of them, each once."""
    found = (*_builds(outlook), *_dropped_optimizations(outlook), *_checks(outlook))
    return tuple(dict.fromkeys(found))


def _builds(outlook: DecisionView) -> tuple[Ref, ...]:
    """The Jobs of builds that are in the store, and failed ones that are to be made again."""
    wanted, done = outlook.wanted, list[str]()
    if outlook.snapshot.built is True and wanted.entry is not None:
        done.append(job_name(wanted_digest(outlook.model, wanted.entry)))
    if wanted.optimizing is not None and wanted.optimizing.made:
        done.append(optimize_job_name(wanted.optimizing.status.digest))
    if wanted.job_again and wanted.build is not None:
        done.append(job_name(wanted.build.digest))
    if wanted.optimizing is not None and wanted.optimizing.again:
        done.append(optimize_job_name(wanted.optimizing.status.digest))
    refs = [Ref("Job", outlook.settings.operator.namespace, name) for name in done]
    return tuple(ref for ref in refs if _stands(outlook.snapshot.children.get(ref)))


def _dropped_optimizations(outlook: DecisionView) -> tuple[Ref, ...]:
    """Optimizations under way for an earlier wish of this Model; none while it is not known what is wished.

    A Model of another namespace may wait for the same build; a Job that names that one is its own to end.
    """
    wanted = outlook.wanted
    if wanted.entry is None:
        return ()
    found = wanted.optimizing
    keep = optimize_job_name(found.status.digest) if found is not None and found.kept else ""
    return tuple(
        Ref("Job", one["metadata"]["namespace"], one["metadata"]["name"])
        for one in outlook.snapshot.of_kind("Job")
        if _optimizes(one, outlook.model) and one["metadata"]["name"] != keep and _stands(one)
    )


def _optimizes(job: Object, model: Model) -> bool:
    """It was made for that Model and makes a build."""
    labels = job["metadata"].get("labels", {})
    return BUILD_LABEL in labels and labels.get(NAMESPACE_LABEL) == model.namespace


def _stands(found: Object | None) -> bool:
    """It is there, and nobody deletes it."""
    return found is not None and "deletionTimestamp" not in found["metadata"]


def _checks(outlook: DecisionView) -> tuple[Ref, ...]:
    """Jobs that examined a candidate, once what they found is in the status; in their phase, one to be made again."""
    rollout, now = outlook.rollout, outlook.snapshot.now
    again = {gate.name for gate in rollout.gates if gate.next_attempt_time and epoch(gate.next_attempt_time) <= now}
    examined = rollout.at not in (Phase.TESTING, Phase.MIRRORING)
    labelled = [(one["metadata"].get("labels", {}).get(CHECK_LABEL), one) for one in outlook.snapshot.of_kind("Job")]
    return tuple(
        Ref("Job", one["metadata"]["namespace"], one["metadata"]["name"])
        for gate, one in labelled
        if gate is not None and (examined or gate in again) and _stands(one)
    )
