"""Models in the middle of a rollout, as the operator tells it: version 1 is stable, version 2 the candidate."""

from typing import Any

from modelyard.api.model import Model
from modelyard.cli.rollout.view import RolloutView
from modelyard.core.conditions import epoch, timestamp

STABLE, CANDIDATE = "digits-0123456789", "digits-abcdef0123"
NOW = epoch("2026-01-01T12:00:00Z")
STARTED = 24 * 60
"""How long ago every rollout here began, in seconds."""


def before(seconds: float) -> str:
    """The time so many seconds before `NOW`."""
    return timestamp(NOW - seconds)


def a_revision(name: str = STABLE, weight: int = 100, stage: str = "Serving", **more: Any) -> dict[str, Any]:
    """A revision in `status.revisions`; its stage began two minutes ago and the gateway carries it since."""
    candidate = name == CANDIDATE
    known = {
        "name": name,
        "slot": "b" if candidate else "a",
        "version": "2" if candidate else "1",
        "stage": stage,
        "weight": weight,
        "stageStartTime": before(120),
        "programmedTime": before(120),
    }
    return {"digest": "sha256:" + "ab" * 32, "runtime": "triton", "ready": True, **known, **more}


def a_gate(name: str = "errors", verdict: str = "Continue", **more: Any) -> dict[str, Any]:
    """A gate that has seen a thousand requests of the candidate and knows not enough yet."""
    counts = {
        "requests": 1000,
        "failedRequests": 4,
        "stableRequests": 3000,
        "stableFailedRequests": 11,
        "overdispersion": 1.0,
    }
    evidence = {"evidenceAgainst": 2.5, "failThreshold": 200.0, "evidenceFor": 11.0, "passThreshold": 20.0, "eta": 190}
    said = "4 of 1,000 requests failed; 1 % may."
    return {"name": name, "verdict": verdict, "message": said, **counts, **evidence, **more}


def a_record(outcome: str = "Aborted", **more: Any) -> dict[str, Any]:
    """A rollout of version 2 that ended three minutes ago after seven."""
    why = {"reason": "ErrorsGateFailed", "message": "312 of 1,204 requests failed; 1 % may."}
    ran = {"startTime": before(600), "endTime": before(180), "requests": 1204, "failedRequests": 312}
    return {"revision": CANDIDATE, "version": "2", "strategy": "Canary", "outcome": outcome, **why, **ran, **more}


def conditions(**status: str) -> list[dict[str, Any]]:
    """Conditions by type; those of a Model whose wanted revision does not hold the traffic yet."""
    known = {"Ready": "False", "Reconciling": "True", "Stalled": "False", **status}
    since = {"reason": "Rollout", "message": "It is under way.", "lastTransitionTime": before(60)}
    return [{"type": kind, "status": holds, **since} for kind, holds in known.items()]


def a_model(rollout: dict[str, Any] | None, spec: dict[str, Any] | None = None, **status: Any) -> Model:
    """A Model that wants version 2; `rollout` is its status, `spec` what its spec says of rollouts."""
    said = {
        "observedGeneration": 2,
        "entry": {"name": "digits", "version": "2", "digest": "sha256:" + "cd" * 32},
        "conditions": conditions(),
        "revisions": [a_revision()],
        "version": "1",
        **({"rollout": rollout} if rollout is not None else {}),
        **status,
    }
    return Model.model_validate(
        {
            "metadata": {"name": "digits", "namespace": "demo", "generation": 2, "uid": "uid-0"},
            "spec": {"source": {"name": "digits", "version": "2"}, "rollout": spec or {}},
            "status": said,
        }
    )


def a_rollout(phase: str = "Advancing", step: int = 1, weight: int = 25, **more: Any) -> dict[str, Any]:
    """A canary under way: two minutes in its second of three steps."""
    known = {
        "reason": phase,
        "message": f"Revision {CANDIDATE} gets {weight} % of the traffic, step {step + 1} of 3.",
        "strategy": "Canary",
        "stable": STABLE,
        "candidate": CANDIDATE,
        "version": "2",
        "startTime": before(STARTED),
        "phaseStartTime": before(120),
        "replicas": 2,
    }
    return {"phase": phase, "step": step, "weight": weight, **known, **more}


def an_ended_rollout(*records: dict[str, Any], **more: Any) -> dict[str, Any]:
    """No rollout is under way; how the last ones ended, newest first."""
    return {"phase": "Idle", "stable": STABLE, "version": "2", "history": list(records), **more}


def split(weight: int = 25) -> list[dict[str, Any]]:
    """Both revisions with their shares."""
    return [a_revision(STABLE, 100 - weight), a_revision(CANDIDATE, weight)]


def a_look(rollout: dict[str, Any] | None, spec: dict[str, Any] | None = None, **status: Any) -> RolloutView:
    """A look at such a Model; both revisions have their two replicas."""
    replicas = {STABLE: (2, 2), CANDIDATE: (2, 2)}
    return RolloutView(a_model(rollout, spec, **{"revisions": split(), **status}), NOW, replicas)
