"""One look at a rollout: the state it was in, what is seen, and the state it is in now.

    adopt      whose the traffic is, when nothing was said of it yet
    command    a new command is answered
    judge      the gates read the counted traffic
    follow     signal by signal through the table of `rollout.py`, until nothing more is to be said

Evidence alone changes with every second; it is written every `CHECKPOINT` seconds, and with every change of
anything else. What is lost by a crash in between are seconds of counts, whatever they said.
"""

from collections.abc import Iterator
from itertools import islice

from modelyard.api.rollout import Action
from modelyard.api.rollout_status import GateStatus, Outcome, Phase, RolloutStatus
from modelyard.api.status import ModelStatus, Stage
from modelyard.core.analysis import gates
from modelyard.core.analysis.ab_report import sides
from modelyard.core.conditions import epoch, timestamp

from . import commands, signals
from .context import RolloutContext
from .state_machine import next_transition
from .transitions import apply_transition

CHECKPOINT = 5.0
POLL_SECONDS = 1.0
_MOST = 12


def advance(scene: RolloutContext) -> RolloutStatus:
    """The state after this look."""
    found = scene.rollout
    rollout, told = commands.handle_command(scene)
    *_, scene = islice(_states(scene.at(_evaluated(scene.at(rollout))), told), _MOST)
    return _throttle_status(found, _cleared(scene), scene.now)


def _states(scene: RolloutContext, told: Action | None) -> Iterator[RolloutContext]:
    """The state as it is, and every further one this look leads to."""
    yield scene
    while (seen := signals.first_signal(scene, told)) is not None:
        move = next_transition(scene.rollout.phase, scene.rollout.step, seen.signal, scene.spec_view)
        if move is None:
            return
        told = None
        scene = scene.at(apply_transition(scene, seen, move))
        yield scene


def next_deadline(scene: RolloutContext) -> float | None:
    """Seconds until time alone changes something; evidence comes every second."""
    rollout = scene.rollout
    if rollout.phase in signals.GATES or rollout.failing_since:
        return POLL_SECONDS
    rest = epoch(rollout.retain_until) - scene.now if rollout.retain_until else 0.0
    return rest if rest > 0 else None


def initial_state(status: ModelStatus) -> RolloutStatus:
    """The state as it was; the first time, the revision that serves is the stable."""
    if status.rollout is not None:
        return status.rollout
    return RolloutStatus(stable=next((one.name for one in status.revisions if one.stage is Stage.SERVING), ""))


def _evaluated(scene: RolloutContext) -> RolloutStatus:
    """With the gates' answers to what was counted since the last look."""
    rollout, candidate = scene.rollout, scene.candidate
    if candidate is None or rollout.phase in (Phase.IDLE, Phase.ABORTING) or not scene.analyzed:
        return rollout
    trouble = scene.failure
    troubled = "" if trouble is None else rollout.failing_since or timestamp(scene.now)
    stable = scene.stable
    look = gates.GateInput(
        now=scene.now,
        spec=scene.model.spec,
        stable_slot=stable.slot if stable else "",
        candidate_slot=candidate.slot,
        traffic=scene.snapshot.traffic,
        since=epoch(candidate.stage_start_time),
        watched=_promoted_at(rollout),
        weight=candidate.weight,
        phase=rollout.at,
        before={gate.name: gate for gate in rollout.gates},
        failure=trouble,
        failing_since=epoch(troubled) if troubled else None,
        checks=scene.snapshot.checks,
    )
    judged = rollout.model_copy(update={"gates": list(gates.evaluate(look)), "failing_since": troubled})
    compared = sides(judged) if rollout.at is Phase.SPLITTING else None
    return judged.model_copy(update={"report": {"sides": compared}}) if compared else judged


def _promoted_at(rollout: RolloutStatus) -> float:
    """Since when the stable's slot has been the stable's own; from the beginning for the very first one."""
    promoted = (one for one in rollout.history if one.revision == rollout.stable and one.outcome is Outcome.PROMOTED)
    return next((epoch(one.end_time) for one in promoted), 0.0)


def _cleared(scene: RolloutContext) -> RolloutStatus:
    """A refusal is forgotten when something else is wanted, and a kept candidate when its time is over."""
    rollout = scene.rollout
    if rollout.rejected and rollout.phase is Phase.IDLE and scene.wanted_revision is not None and not scene.refused:
        rollout = rollout.model_copy(update={"rejected": "", "rejected_build": "", "retain_until": ""})
    if rollout.retain_until and epoch(rollout.retain_until) <= scene.now:
        rollout = rollout.model_copy(update={"retain_until": ""})
    return rollout


def _throttle_status(found: RolloutStatus, rollout: RolloutStatus, now: float) -> RolloutStatus:
    """The state before when only evidence has changed and it was written lately."""
    if not rollout.gates:
        return rollout
    fixed = {"gates": [], "last_analysis_time": "", "report": None}
    same = found.model_copy(update=fixed) == rollout.model_copy(update=fixed) and _said(found.gates) == _said(
        rollout.gates
    )
    if same and (
        found.gates == rollout.gates
        or (found.last_analysis_time and now - epoch(found.last_analysis_time) < CHECKPOINT)
    ):
        return found
    return rollout.model_copy(update={"last_analysis_time": timestamp(now)})


def _said(found: list[GateStatus]) -> list[tuple[str, str, str]]:
    return [(gate.name, gate.verdict, gate.next_attempt_time) for gate in found]
