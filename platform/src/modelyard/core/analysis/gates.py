"""The gates: one question each about the candidate, and which of them are asked in which phase.

| gate | question | room |
|---|---|---|
| latency | do too many answers come late? only with slo.latency | `counted.py` |
| errors | do too many requests fail? | `counted.py` |
| health | are its pods well? | here |
| share | does it get the share of the requests that it should? | `share.py` |
| loadTest | did it stand the load test? | here |
| shadow | do its outputs agree with the stable's? | here |

| phase | gates |
|---|---|
| Starting, Previewing | health |
| Testing | loadTest, health |
| Mirroring | latency, errors, health, shadow; counted is what is mirrored |
| Advancing, Holding, Splitting | latency, errors, health, share |
| Baking | latency, errors, health |

A check (load test, comparison) whose Job ends without an answer says nothing of the candidate, so the Job is made
again, RETRIES times at most, after a pause of PAUSE seconds that doubles with every time; then the gate holds.

Trouble of the candidate's pods that may pass by itself fails it after GRACE seconds, and while it starts, when it
has no traffic to lose and a node may have to come first, after START_GRACE, Kubernetes' own patience.
"""

from collections.abc import Callable, Sequence

from modelyard.api.rollout_status import GateStatus, GateVerdict, Phase
from modelyard.core.conditions import timestamp

from . import slo_gate
from .gate_input import GateInput
from .messages import LONGEST, duration_text
from .objectives import objectives, usable_threshold
from .sample_ratio import sample_ratio

__all__ = ["GateInput", "evaluate", "reset_gates", "usable_threshold"]

GRACE = 30.0
START_GRACE = 600.0
RETRIES, PAUSE = 3, 30.0
LOAD_TEST, SHADOW = "loadTest", "shadow"
_WAITING = {LOAD_TEST: "the load test has not begun", SHADOW: "the comparison of outputs has not begun"}
_CAUSE = 600
_ANSWERS = (GateVerdict.PASS, GateVerdict.FAIL)

Gate = Callable[[GateInput], Sequence[GateStatus]]


def evaluate(look: GateInput) -> tuple[GateStatus, ...]:
    """Every gate that is asked in this phase, with its answer."""
    return tuple(answer for gate in GATES.get(look.phase, ()) for answer in gate(look))


def reset_gates(gates: Sequence[GateStatus]) -> list[GateStatus]:
    """The gates as a new weight, or the next rollout, begins: of what was counted the stable's habits are left."""
    return [slo_gate.renewed(gate) for gate in gates if gate.state is not None]


def _counted(look: GateInput) -> Sequence[GateStatus]:
    return [slo_gate.evaluate_slo_gate(look, asked) for asked in objectives(look.spec)]


def _health(look: GateInput) -> Sequence[GateStatus]:
    trouble = look.failure
    if trouble is None:
        return [_said("health", GateVerdict.PASS, "the candidate's pods are well")]
    lasts = look.now - (look.now if look.failing_since is None else look.failing_since)
    grace = START_GRACE if look.phase is Phase.STARTING else GRACE
    if not trouble.retry:
        return [_said("health", GateVerdict.FAIL, trouble.message)]
    if lasts >= grace:
        return [_said("health", GateVerdict.FAIL, f"for {duration_text(lasts)} now: {trouble.message}")]
    return [
        _said(
            "health",
            GateVerdict.CONTINUE,
            f"for {duration_text(lasts)} of {duration_text(grace)} at most: {trouble.message}",
        )
    ]


def _share(look: GateInput) -> Sequence[GateStatus]:
    return [sample_ratio(look)] if 0 < look.weight < 100 else []


def _load_test(look: GateInput) -> Sequence[GateStatus]:
    return [_checked(look, LOAD_TEST)]


def _shadow(look: GateInput) -> Sequence[GateStatus]:
    return [_checked(look, SHADOW)]


def _checked(look: GateInput, name: str) -> GateStatus:
    """An answer stays when the Job that gave it is gone."""
    check, before = look.checks.get(name), look.before.get(name)
    if check is None and before is not None and before.verdict in _ANSWERS:
        return before
    attempts = before.attempts if before is not None else 0
    if check is not None and check.retry:
        return _unanswered(look, name, check.message[:_CAUSE].rstrip(".") or "its Job ended without an answer")
    if check is None or check.passed is None:
        said = _WAITING[name] if check is None else check.message or "it runs"
        return _said(name, GateVerdict.CONTINUE, said).model_copy(update={"attempts": attempts})
    return _said(name, GateVerdict.PASS if check.passed else GateVerdict.FAIL, check.message or "it has ended")


def _unanswered(look: GateInput, name: str, why: str) -> GateStatus:
    """When it is begun again; a Hold when that was tried often enough."""
    before = look.before.get(name)
    attempts, again = (before.attempts, before.next_attempt_time) if before is not None else (0, "")
    if not again and attempts <= RETRIES:
        attempts += 1
        again = timestamp(look.now + PAUSE * 2 ** (attempts - 1)) if attempts <= RETRIES else ""
    if again:
        number = f" (attempt {attempts + 1} of {RETRIES + 1})" if attempts else ""
        found = _said(name, GateVerdict.CONTINUE, f"{why}; it is begun again at {again}{number}")
    else:
        again_by = "`modelyard rollout retry` begins it again, `promote` or `abort` decide without it"
        found = _said(name, GateVerdict.HOLD, f"{why}; {attempts} attempts brought no answer: {again_by}")
    return found.model_copy(update={"attempts": attempts, "next_attempt_time": again})


def _said(name: str, verdict: GateVerdict, message: str) -> GateStatus:
    return GateStatus(name=name, verdict=verdict, message=f"{name}: {message.rstrip('.')}."[:LONGEST])


_SPLIT: tuple[Gate, ...] = (_counted, _health, _share)
GATES: dict[Phase, tuple[Gate, ...]] = {
    Phase.STARTING: (_health,),
    Phase.TESTING: (_load_test, _health),
    Phase.PREVIEWING: (_health,),
    Phase.MIRRORING: (_counted, _health, _shadow),
    Phase.ADVANCING: _SPLIT,
    Phase.HOLDING: _SPLIT,
    Phase.SPLITTING: _SPLIT,
    Phase.BAKING: (_counted, _health),
}
