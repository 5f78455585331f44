"""What is said of a Model: its conditions, the rest of its status, and the events that go with a change.

Ready sums up: the wanted revision holds all the traffic and the gateway carries the routes. While it
does not, Reconciling says what is under way, or Stalled what a person has to mend; Serving says apart
from that whether users get answers, because a bad new wish never takes the old answer away.
"""

from typing import Any, NamedTuple

from modelyard.api.status import EntryStatus, ModelStatus, RevisionStatus, Stage
from modelyard.core.names import REVISION_LABEL

from . import pods
from .conditions import Finding, epoch, events, merge
from .names import host
from .outlook import Outlook, ready_replicas
from .plan import Event
from .routes import routed
from .snapshot import Failure


class Obstacle(NamedTuple):
    """The first station that is not reached, and whether a person is needed to reach it."""

    finding: Finding
    stuck: bool


def status(outlook: Outlook) -> tuple[dict[str, Any] | None, tuple[Event, ...]]:
    """The status to write, None when it stands already, and the events of its changes."""
    model, old, holder = outlook.model, outlook.model.status, outlook.holder
    conditions = merge(old.conditions, _findings(outlook), model.generation, outlook.snapshot.now)
    new = ModelStatus(
        observed_generation=model.generation,
        conditions=conditions,
        entry=_entry(outlook),
        build=outlook.wanted.build or old.build,
        revisions=list(outlook.revisions),
        version=holder.version if holder else "",
        revision=holder.name if holder else "",
        traffic=f"{holder.weight}%" if holder else "0%",
        **(_addresses(outlook) if outlook.routes else {}),
    )
    if new == old:
        return None, ()
    return new.model_dump(by_alias=True, exclude_none=True, mode="json"), events(old.conditions, conditions)


def _entry(outlook: Outlook) -> EntryStatus | None:
    """What this spec resolved to. An older spec's entry is not kept: it would pass for this one's."""
    entry = outlook.wanted.entry
    return EntryStatus(name=entry.name, version=entry.version, digest=entry.digest) if entry is not None else None


def _addresses(outlook: Outlook) -> dict[str, str]:
    model, gateway = outlook.model, outlook.settings.gateway
    name = host(model.name, model.namespace, gateway.domain)
    path = f"{gateway.public_url.rstrip('/')}/{model.namespace}/{model.name}" if gateway.public_url else ""
    return {"url": f"http://{name}", "path_url": path, "grpc": f"{name}:80"}


def _findings(outlook: Outlook) -> dict[str, Finding]:
    trouble = _outage(outlook) if outlook.candidate is None else _trouble(outlook, outlook.candidate)
    stations = {
        "EntryResolved": outlook.wanted.resolved,
        "Built": outlook.wanted.built,
        "Serving": _serving(outlook, trouble),
        "Routed": routed(outlook.snapshot, outlook.routes, outlook.holder, outlook.settings.gateway),
    }
    obstacle = _obstacle(outlook, trouble, stations["Routed"])
    return stations | _summary(obstacle, stations["Serving"])


def _trouble(outlook: Outlook, revision: RevisionStatus) -> Failure | None:
    """Why a revision does not answer: its pods, or the answer to its warm-up."""
    snapshot = outlook.snapshot
    own = [
        pod for pod in snapshot.of_kind("Pod") if pod["metadata"].get("labels", {}).get(REVISION_LABEL) == revision.name
    ]
    found = pods.trouble(own, snapshot.logs)
    if found is not None:
        return found
    probe = snapshot.probes.get(revision.name)
    if probe is not None and not probe.answered:
        said = probe.message.rstrip(".")
        return Failure("WarmupFailed", f"The warm-up request was not answered: {said}.", retry=True)
    return _late(outlook, revision)


def _late(outlook: Outlook, revision: RevisionStatus) -> Failure | None:
    """A server that hangs: Triton waits for ever when only its child process was killed for memory."""
    patience = outlook.settings.serving.start_seconds
    if revision.stage is not Stage.STARTING or outlook.snapshot.now - epoch(revision.since) < patience:
        return None
    return Failure(
        "StartTimedOut",
        f"Revision {revision.name} is not ready after {patience:.0f} s and its pods name no error; a server that hangs "
        "while it loads mostly lacks memory: raise spec.serving.resources.limits.memory, or read its pod's log.",
    )


def _outage(outlook: Outlook) -> Failure | None:
    """Why nobody answers although a revision holds the traffic; None while one of its replicas is ready."""
    holder = outlook.holder
    if holder is None or ready_replicas(outlook.snapshot, holder.name) > 0:
        return None
    down = f"No replica of revision {holder.name} (version {holder.version}) is ready, so requests fail until one is."
    return _trouble(outlook, holder) or Failure("NoReplicaReady", down, retry=True)


def _serving(outlook: Outlook, trouble: Failure | None) -> Finding:
    if outlook.holder is not None:
        trouble = _outage(outlook)
    if trouble is not None:
        return Finding(False, trouble.reason, trouble.message)
    if outlook.holder is not None:
        name, version = outlook.holder.name, outlook.holder.version
        return Finding(True, "Answering", f"Revision {name} (version {version}) holds the traffic.")
    if not outlook.revisions:
        return Finding(False, "NoRevision", "No revision has been started yet.")
    return Finding(False, "Starting", f"Revision {outlook.revisions[-1].name} is starting.")


def _obstacle(outlook: Outlook, trouble: Failure | None, route: Finding) -> Obstacle | None:
    wanted, candidate = outlook.wanted, outlook.candidate
    if wanted.resolved.holds is not True:
        return Obstacle(wanted.resolved, wanted.stalled)
    if wanted.built.holds is not True:
        return Obstacle(wanted.built, wanted.stalled)
    if trouble is not None:
        return Obstacle(Finding(False, trouble.reason, trouble.message), not trouble.retry)
    if candidate is not None and candidate.stage is Stage.JOINING:
        joins = f"Revision {candidate.name} answered; the gateway is told of it before it gets the traffic."
        return Obstacle(Finding(False, "Joining", joins), False)
    if candidate is not None:
        return Obstacle(Finding(False, "Starting", f"Revision {candidate.name} is starting."), False)
    if wanted.revision is not None and all(one.name != wanted.revision.name for one in outlook.revisions):
        waits = "Both slots of the route are taken until the revision before last has drained; the new one follows."
        return Obstacle(Finding(False, "WaitingForSlot", waits), False)
    return None if route.holds else Obstacle(route, False)


def _summary(obstacle: Obstacle | None, answering: Finding) -> dict[str, Finding]:
    """Ready, Reconciling and Stalled."""
    if obstacle is None:
        calm = Finding(False, "Done", "Everything is as the spec says.")
        return {"Ready": Finding(True, "Serving", answering.message), "Reconciling": calm, "Stalled": calm}
    finding, stuck = obstacle
    still = f" {answering.message}" if answering.holds else ""
    return {
        "Ready": Finding(False, finding.reason, finding.message + still),
        "Reconciling": Finding(not stuck, finding.reason, finding.message),
        "Stalled": Finding(stuck, finding.reason, finding.message),
    }
