"""A status as another version of the platform or a person left it, made fit to go on from.

Times that are not there (fields had other names, see decision 0020) count from now: what waits, waits once more in
full, and nothing is taken for long past. Times that have not come yet, because a clock ran ahead, count from now as
well, or whatever waits would wait for as long as that clock was wrong. Records of ended rollouts without times say
nothing and are left out. A pause whose beginning was not written down began with the phase that it holds.

A status that names no revision although our route sends traffic to some, because a person edited it or restored the
Model without one, would make what the spec asks for the first revision: all traffic would go there untried, and what
served would be removed. So they are read from the route. One that the spec does not ask for is the stable and has all
traffic again; the other leaves it, and is tried anew.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from modelyard.api.rollout_status import RolloutStatus
from modelyard.api.status import RevisionStatus, Stage
from modelyard.core.artifacts.resolve import resolve
from modelyard.core.conditions import epoch, timestamp
from modelyard.core.names import predictor
from modelyard.core.snapshot import Object, Snapshot
from modelyard.core.storage.keys import digest_at
from modelyard.settings import Settings

from . import clock

T = TypeVar("T", RevisionStatus, RolloutStatus)

_AHEAD_SECONDS = 5.0
"""So far the clocks of two nodes may differ without a word."""
_LEAST_SHARE = 0.001
"""Of the traffic; who has less is joining or leaving."""
UNKNOWN_VERSION = "unknown"
"""Of a revision whose InferenceService alone tells of it."""
_REVISION_TIMES = ("stage_start_time", "programmed_time")
_ROLLOUT_TIMES = ("start_time", "phase_start_time", "held_start_time", "failing_since", "last_analysis_time")


def with_times(snapshot: Snapshot) -> Snapshot:
    """The snapshot whose revisions and rollout have all their times, none to come; the same object when they do."""
    status, now = snapshot.model.status, timestamp(snapshot.now)
    revisions = [_dated_revision(_come(revision, _REVISION_TIMES, snapshot.now), now) for revision in status.revisions]
    rollout = status.rollout and _dated_rollout(_come(status.rollout, _ROLLOUT_TIMES, snapshot.now), now)
    if revisions == status.revisions and rollout == status.rollout:
        return snapshot
    dated = status.model_copy(update={"revisions": revisions, "rollout": rollout})
    return replace(snapshot, model=snapshot.model.model_copy(update={"status": dated}))


def _come(stored: T, names: Sequence[str], now: float) -> T:
    """The same with `now` in place of times that have not come yet; itself when all have."""
    times = {name: getattr(stored, name) for name in names}
    early = {name: timestamp(now) for name, time in times.items() if time and epoch(time) > now + _AHEAD_SECONDS}
    return stored.model_copy(update=early) if early else stored


def _dated_revision(revision: RevisionStatus, now: str) -> RevisionStatus:
    return revision if revision.stage_start_time else revision.model_copy(update={"stage_start_time": now})


def _dated_rollout(rollout: RolloutStatus, now: str) -> RolloutStatus:
    changes: dict[str, object] = {}
    if rollout.active and not rollout.phase_start_time:
        changes = {"start_time": rollout.start_time or now, "phase_start_time": now}
    history = [record for record in rollout.history if record.start_time and record.end_time]
    if len(history) < len(rollout.history):
        changes["history"] = history
    rollout = rollout.model_copy(update=changes) if changes else rollout
    if clock.stands(rollout) and not (rollout.pauses and not rollout.pauses[-1].end_time):
        return clock.with_pause_since(rollout, rollout.phase_start_time)
    return rollout


def with_revisions(snapshot: Snapshot, settings: Settings) -> Snapshot:
    """The snapshot whose status names the revisions that our route sends traffic to; the same where it names any.

    While it is not known which of two the spec asks for, nothing is done.
    """
    status = snapshot.model.status
    published = [] if status.revisions else _published(snapshot)
    if not published:
        return snapshot
    wanted = resolve(snapshot, settings).revision
    if wanted is None and len(published) > 1:
        return snapshot
    asked = wanted.name if wanted is not None else ""
    stable = min(published, key=lambda revision: (revision.name == asked, -revision.weight)).name
    revisions = [
        _completed(revision, wanted).model_copy(
            update={"stage": Stage.SERVING, "weight": 100}
            if revision.name == stable
            else {"stage": Stage.LEAVING, "weight": 0}
        )
        for revision in published
    ]
    found = status.model_copy(update={"revisions": revisions})
    return replace(snapshot, model=snapshot.model.model_copy(update={"status": found}))


def _completed(revision: RevisionStatus, wanted: RevisionStatus | None) -> RevisionStatus:
    """The revision with what is known of it because the spec asks for it, or for another one of its build."""
    if wanted is None or revision.digest != wanted.digest:
        return revision
    if revision.name == wanted.name:
        return wanted.model_copy(update={"slot": revision.slot})
    return revision.model_copy(update={"version": wanted.version})


def _published(snapshot: Snapshot) -> list[RevisionStatus]:
    """The revisions with traffic in the main rule of our route, each with its share in percent."""
    route = snapshot.child("HTTPRoute", snapshot.model.name) or {}
    rules = route.get("spec", {}).get("rules") or [{}]
    backends = dict(zip(("a", "b"), rules[0].get("backendRefs", ()), strict=False))
    weights = {slot: backend.get("weight", 1) for slot, backend in backends.items()}
    least = max(1.0, sum(weights.values())) * _LEAST_SHARE
    served = {predictor(thing["metadata"]["name"]): thing for thing in snapshot.of_kind("InferenceService")}
    return [
        _revision_of(served[backend["name"]], slot, round(100 * weights[slot] / sum(weights.values())), snapshot.now)
        for slot, backend in backends.items()
        if weights[slot] > least and backend["name"] in served
    ]


def _revision_of(served: Object, slot: str, weight: int, now: float) -> RevisionStatus:
    """What an InferenceService of ours, as we wrote it, tells of its revision."""
    model = served["spec"]["predictor"].get("model", {})
    return RevisionStatus.model_validate(
        {
            "name": served["metadata"]["name"],
            "slot": slot,
            "digest": digest_at(model.get("storageUri", "")),
            "version": UNKNOWN_VERSION,
            "runtime": model.get("runtime", ""),
            "resources": model.get("resources"),
            "stage": Stage.SERVING,
            "weight": weight,
            "stage_start_time": timestamp(now),
        }
    )
