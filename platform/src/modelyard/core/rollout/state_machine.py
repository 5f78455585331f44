"""The states of a rollout and what leads from one to the next.

| from | when | to |
|---|---|---|
| Idle | SpecChanged | Building |
| Building | Built | Starting; Recreate with a stable: Replacing |
| Replacing | Drained | Starting |
| Starting | WarmedUp | Testing when that is asked for; else the first stage, or Idle (Promoted) without one |
| Testing | Passed | the first stage |
| Previewing | Passed | Baking |
| Mirroring | Passed | Advancing when a canary is to follow; else Aborting (Reported) |
| Splitting | Passed | Aborting (Reported) |
| Advancing | Passed | Advancing, one step on; after the last step Baking |
| Testing, Previewing, Mirroring, Splitting, Advancing | Promote | Baking |
| Baking | Passed, Promote | Idle (Promoted) |
| Testing, Previewing, Mirroring, Splitting, Advancing, Baking | Inconclusive | Holding |
| Holding | Conclusive | the phase that was held |
| Holding | Promote | Baking; Idle (Promoted) when that is held |
| every one but Idle and Aborting | Failed, Expired, Abort, Superseded, Reverted | Aborting |
| Aborting | Drained | Idle |

The first stage is Advancing for Canary, Previewing for BlueGreen, Mirroring for Shadow and Splitting for AB.
Recreate, Immediate and the very first revision have none: they end at once, Idle (Promoted).

Rollback comes first: a signal against the candidate is looked for before any other, and Aborting gives the stable
all the traffic in the same decision. Holding freezes the weight: it is for what is not known, so it neither
advances nor rolls back.
"""

from dataclasses import dataclass
from enum import StrEnum

from modelyard.api.rollout import Strategy
from modelyard.api.rollout_status import Outcome, Phase


class Signal(StrEnum):
    """What a reconcile pass can see that moves a rollout on, one word each."""

    SPEC_CHANGED = "SpecChanged"
    BUILT = "Built"
    WARMED_UP = "WarmedUp"
    PASSED = "Passed"
    INCONCLUSIVE = "Inconclusive"
    CONCLUSIVE = "Conclusive"
    PROMOTE = "Promote"
    FAILED = "Failed"
    EXPIRED = "Expired"
    ABORT = "Abort"
    SUPERSEDED = "Superseded"
    REVERTED = "Reverted"
    DRAINED = "Drained"


AGAINST = {
    Signal.FAILED: Outcome.ABORTED,
    Signal.EXPIRED: Outcome.ABORTED,
    Signal.ABORT: Outcome.ABORTED,
    Signal.SUPERSEDED: Outcome.SUPERSEDED,
    Signal.REVERTED: Outcome.ROLLED_BACK,
}
"""Signals that end a rollout, and how it then ended."""


@dataclass(frozen=True)
class RolloutSpecView:
    """What the table of transitions depends on, of the spec and of the state.

    `steps` is the number of weights; `tested` that a load test or a replay comes before the first stage; `goes_on` that
    a canary follows a shadow; `first` that there is no stable; `held` the phase Holding interrupts.
    """

    strategy: Strategy
    steps: int = 0
    tested: bool = False
    goes_on: bool = False
    first: bool = False
    held: Phase = Phase.ADVANCING


@dataclass(frozen=True)
class Transition:
    """The phase and the step a rollout goes to; `outcome` when this ends it."""

    phase: Phase
    step: int = 0
    outcome: Outcome | None = None


PROMOTED = Transition(Phase.IDLE, outcome=Outcome.PROMOTED)
_STAGES = {
    Strategy.CANARY: Phase.ADVANCING,
    Strategy.BLUE_GREEN: Phase.PREVIEWING,
    Strategy.SHADOW: Phase.MIRRORING,
    Strategy.AB: Phase.SPLITTING,
}


def first_transition(spec_view: RolloutSpecView) -> Transition:
    """Where a rollout goes once the candidate answers and has passed the load test and the replay, if any."""
    if spec_view.first or spec_view.strategy not in _STAGES:
        return PROMOTED
    return Transition(_STAGES[spec_view.strategy])


def next_transition(phase: Phase, step: int, signal: Signal, spec_view: RolloutSpecView) -> Transition | None:
    """Where `signal` leads from a phase and a step; None when it means nothing there."""
    if signal in AGAINST:
        return _ended(phase, step, signal)
    match phase, signal:
        case Phase.IDLE, Signal.SPEC_CHANGED:
            return Transition(Phase.BUILDING)
        case Phase.BUILDING, Signal.BUILT:
            replaces = spec_view.strategy is Strategy.RECREATE and not spec_view.first
            return Transition(Phase.REPLACING if replaces else Phase.STARTING)
        case Phase.REPLACING, Signal.DRAINED:
            return Transition(Phase.STARTING)
        case Phase.STARTING, Signal.WARMED_UP:
            tested = spec_view.tested and not spec_view.first
            return Transition(Phase.TESTING) if tested else first_transition(spec_view)
        case Phase.ABORTING, Signal.DRAINED:
            return Transition(Phase.IDLE)
        case Phase.HOLDING, Signal.CONCLUSIVE:
            return Transition(spec_view.held, step)
        case _:
            return _watched(phase, step, signal, spec_view)


def _watched(phase: Phase, step: int, signal: Signal, spec_view: RolloutSpecView) -> Transition | None:
    """The phases in which gates watch the candidate."""
    match phase, signal:
        case Phase.TESTING, Signal.PASSED:
            return first_transition(spec_view)
        case Phase.PREVIEWING, Signal.PASSED:
            return Transition(Phase.BAKING, spec_view.steps)
        case Phase.MIRRORING, Signal.PASSED if spec_view.goes_on:
            return Transition(Phase.ADVANCING)
        case ((Phase.MIRRORING | Phase.SPLITTING), Signal.PASSED):
            return Transition(Phase.ABORTING, outcome=Outcome.REPORTED)
        case Phase.ADVANCING, Signal.PASSED:
            last = step + 1 >= spec_view.steps
            return Transition(Phase.BAKING, spec_view.steps) if last else Transition(Phase.ADVANCING, step + 1)
        case Phase.BAKING, (Signal.PASSED | Signal.PROMOTE):
            return PROMOTED
        case Phase.HOLDING, Signal.PROMOTE if spec_view.held is Phase.BAKING:
            return PROMOTED
        case (_, Signal.PROMOTE) if phase in WATCHED or phase is Phase.HOLDING:
            return Transition(Phase.BAKING, spec_view.steps)
        case (_, Signal.INCONCLUSIVE) if phase in WATCHED:
            return Transition(Phase.HOLDING, step)
        case _:
            return None


WATCHED = frozenset({Phase.TESTING, Phase.PREVIEWING, Phase.MIRRORING, Phase.SPLITTING, Phase.ADVANCING, Phase.BAKING})
"""Phases in which the candidate is judged."""


def _ended(phase: Phase, step: int, signal: Signal) -> Transition | None:
    if phase in (Phase.IDLE, Phase.ABORTING):
        return None
    unproven = phase in (Phase.BUILDING, Phase.REPLACING, Phase.STARTING) and signal is Signal.FAILED
    return Transition(Phase.ABORTING, step, Outcome.FAILED if unproven else AGAINST[signal])
