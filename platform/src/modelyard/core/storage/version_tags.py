"""What a Model has to say of the versions it serves, served or refused, as tags of a registry.

modelyard.digest                        of the entry: what exactly serves
modelyard.stage.<namespace>.<model>     Serving, Candidate, Leaving, or how its last rollout ended
modelyard.slo.<namespace>.<model>       the gates' answers to the candidate, such as errors=Pass latency=Continue
modelyard.promoted.<namespace>.<model>  when it was promoted
"""

from typing import NamedTuple

from modelyard.api.model import Model
from modelyard.api.rollout_status import Outcome
from modelyard.api.status import RevisionStatus, Stage

PREFIX = "modelyard"
_LEAVING = frozenset({Stage.LEAVING, Stage.DRAINING, Stage.DROPPED})


class Promotion(NamedTuple):
    """The last rollout that gave a version all the traffic: the version, its tag, and when (RFC 3339)."""

    version: str
    tag: str
    time: str


def version_tags(model: Model) -> dict[str, dict[str, str]]:
    """Tags by version; the same for the same status, so that nothing is written while nothing happens."""
    status = model.status
    tags: dict[str, dict[str, str]] = {}
    stage, slo = (_key(model, kind) for kind in ("stage", "slo"))
    rollout = status.rollout
    for record in reversed(rollout.history if rollout is not None else []):
        tags[record.version] = {stage: record.outcome.value}
        if record.outcome is Outcome.PROMOTED and record.stable_version not in ("", record.version):
            tags.setdefault(record.stable_version, {})[stage] = "Replaced"
    for revision in sorted(status.revisions, key=lambda revision: revision.name == status.revision):
        tags.setdefault(revision.version, {})[stage] = _stage(model, revision)
    if rollout is not None and rollout.active and rollout.gates:
        answers = sorted(f"{gate.name}={gate.verdict.value}" for gate in rollout.gates)
        tags.setdefault(rollout.version, {})[slo] = " ".join(answers)
    if status.entry is not None and tags.get(status.entry.version) is not None:
        tags[status.entry.version][f"{PREFIX}.digest"] = status.entry.digest
    tags.pop("", None)
    return tags


def promotion(model: Model) -> Promotion | None:
    """The last promotion, while what was promoted still serves; None without one."""
    rollout = model.status.rollout
    if rollout is None or rollout.active:
        return None
    last = next((record for record in rollout.history if record.outcome is Outcome.PROMOTED), None)
    if last is None or last.version != model.status.version:
        return None
    return Promotion(last.version, _key(model, "promoted"), last.end_time)


def _stage(model: Model, revision: RevisionStatus) -> str:
    if revision.name == model.status.revision:
        return "Serving"
    rollout = model.status.rollout
    if rollout is not None and revision.name == rollout.candidate:
        return "Candidate"
    return "Leaving" if revision.stage in _LEAVING else revision.stage.value


def _key(model: Model, kind: str) -> str:
    return f"{PREFIX}.{kind}.{model.namespace}.{model.name}"
