"""The way of a rollout as a line of steps: done, current, to come, with the time that is left of the current one.

| strategy | steps |
|---|---|
| Canary | Build, Start, (Load test), every weight, 100 % |
| BlueGreen | Build, Start, (Load test), Preview, 100 % |
| Shadow | Build, Start, (Load test), Mirror, then those of a canary or Report |
| AB | Build, Start, (Load test), Split, Report |
| Recreate | Build, Replace, Start |
| Immediate, and the first revision | Build, Start |

Which step is the current one follows from the phase and the step alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from modelyard.api.model import Model
from modelyard.api.rollout import Rollout, Shadow, Strategy
from modelyard.api.rollout_status import Phase, RolloutStatus
from modelyard.api.status import RevisionStatus, Stage
from modelyard.cli.terminal.durations import rest, spell
from modelyard.core.conditions import epoch
from modelyard.core.rollout.clock import paused_seconds
from modelyard.core.rollout.effective_spec import effective_spec


class Reached(StrEnum):
    """How far a step of the way is."""

    DONE = "done"
    CURRENT = "current"
    HELD = "held"
    TO_COME = "toCome"


@dataclass(frozen=True)
class ProgressStep:
    """One step of the way; `note` says what it waits for, empty when there is nothing to say."""

    label: str
    reached: Reached
    note: str = ""


@dataclass(frozen=True)
class _Stop:
    phase: Phase
    label: str
    step: int = 0
    note: str = ""


def progress_steps(model: Model, now: float) -> tuple[ProgressStep, ...]:
    """All steps in order; empty while no rollout is under way, or it is being aborted.

    `now` is in seconds since the epoch; the current step's note says how much time is left of it.
    """
    rollout = model.status.rollout
    if rollout is None or rollout.phase in (Phase.IDLE, Phase.ABORTING):
        return ()
    stops = list(_stops(effective_spec(model, rollout).spec.rollout, rollout))
    current = next((at for at, stop in enumerate(stops) if _is_at(stop, rollout)), 0)
    return tuple(_progress_step(stop, at - current, model, now) for at, stop in enumerate(stops))


def _is_at(stop: _Stop, rollout: RolloutStatus) -> bool:
    stepped = rollout.at is not Phase.ADVANCING or stop.step == rollout.step
    return stop.phase is rollout.at and stepped


def _progress_step(stop: _Stop, distance: int, model: Model, now: float) -> ProgressStep:
    if distance:
        return ProgressStep(
            stop.label, Reached.DONE if distance < 0 else Reached.TO_COME, stop.note if distance > 0 else ""
        )
    rollout = model.status.rollout
    held = rollout is not None and rollout.phase is Phase.HOLDING
    notes = [stop.note, "held" if held else _left(model, now)]
    return ProgressStep(stop.label, Reached.HELD if held else Reached.CURRENT, ", ".join(filter(None, notes)))


def _stops(spec: Rollout, rollout: RolloutStatus) -> Iterator[_Stop]:
    yield _Stop(Phase.BUILDING, "Build")
    if spec.strategy is Strategy.RECREATE and (rollout.stable or rollout.replicas):
        yield _Stop(Phase.REPLACING, "Replace")
    yield _Stop(Phase.STARTING, "Start")
    if not rollout.stable or spec.strategy in (Strategy.RECREATE, Strategy.IMMEDIATE):
        return
    if spec.load_test is not None:
        yield _Stop(Phase.TESTING, "Load test")
    yield from _strategy_stops(spec)


def _strategy_stops(spec: Rollout) -> Iterator[_Stop]:
    """The steps that belong to the strategy."""
    match spec.strategy:
        case Strategy.BLUE_GREEN:
            yield _Stop(Phase.PREVIEWING, "Preview", note="pause" if spec.preview and spec.preview.pause else "")
        case Strategy.SHADOW:
            yield _Stop(Phase.MIRRORING, f"Mirror {(spec.shadow or Shadow()).percent} %")
        case Strategy.AB:
            yield _Stop(Phase.SPLITTING, f"Split {spec.ab.weight if spec.ab else 0} %")
    goes_on = spec.shadow is not None and spec.shadow.then is not None
    if spec.strategy is Strategy.AB or (spec.strategy is Strategy.SHADOW and not goes_on):
        yield _Stop(Phase.ABORTING, "Report")
        return
    if spec.strategy is not Strategy.BLUE_GREEN:
        for at, weight in enumerate(spec.weights()):
            yield _Stop(Phase.ADVANCING, f"{weight} %", at, "pause" if spec.step(at).pause else "")
    yield _Stop(Phase.BAKING, "100 %", note=f"bake {spell(spec.bake_seconds())}")


def _left(model: Model, now: float) -> str:
    """What the current step waits for, as far as it is a matter of time or of the gateway."""
    rollout = model.status.rollout
    if rollout is None:
        return ""
    spec = effective_spec(model, rollout).spec.rollout
    candidate = next((revision for revision in model.status.revisions if revision.name == rollout.candidate), None)
    weighted = rollout.phase in (Phase.ADVANCING, Phase.SPLITTING, Phase.BAKING)
    if weighted and (candidate is None or not _carries(candidate, rollout.weight)):
        return "not in the gateway yet"
    programmed = candidate.programmed_time if candidate is not None else ""
    match rollout.phase:
        case Phase.ADVANCING:
            return _remaining(rollout, programmed, spec.step(rollout.step).hold_seconds(), now)
        case Phase.SPLITTING:
            return _remaining(rollout, programmed, (spec.ab and spec.ab.duration_seconds()) or 0.0, now)
        case Phase.PREVIEWING:
            return _remaining(
                rollout, rollout.phase_start_time, spec.preview.hold_seconds() if spec.preview else 0.0, now
            )
        case Phase.MIRRORING:
            return _remaining(rollout, rollout.phase_start_time, (spec.shadow or Shadow()).duration_seconds(), now)
        case Phase.BAKING:
            return _remaining(rollout, max(programmed, rollout.phase_start_time, key=epoch), spec.bake_seconds(), now)
        case _:
            return ""


def _carries(candidate: RevisionStatus, weight: int) -> bool:
    return candidate.stage is Stage.SERVING and candidate.weight == weight and candidate.programmed_time != ""


def _remaining(rollout: RolloutStatus, since: str, span: float, now: float) -> str:
    left = rest(since, span, now - (paused_seconds(rollout, epoch(since), now) if since else 0.0))
    return f"{spell(left)} left" if left else ""
