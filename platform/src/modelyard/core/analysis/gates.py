"""The gates: one question each about the candidate, and which of them are evaluated in which phase.

| gate | question | module |
|---|---|---|
| latency | do too many answers come late? only with slo.latency | `slo_gate.py` |
| errors | do too many requests fail? | `slo_gate.py` |
| clientErrors | does it reject requests that the stable accepts? | `client_errors.py` |
| health | are its pods well? | here |
| sampleRatio | does it get the share of the requests that it should? | `sample_ratio.py` |
| feedback | by labels, is it wrong more often than the stable? only with rollout.feedback | `feedback/gate.py` |
| loadTest | did it stand the load test? | here |
| replay | does it answer what users asked of the stable? | here |
| shadow | do its outputs agree with the stable's? | here |

| phase | gates |
|---|---|
| Starting, Previewing | health |
| Testing | replay and loadTest, each where it is asked for, health |
| Mirroring | latency, errors, clientErrors, health, shadow; counted is what is mirrored |
| Advancing, Holding | latency, errors, clientErrors, health, sampleRatio, feedback |
| Splitting | the same without clientErrors: whole users go to one side, so a broken client's mistakes do too |
| Baking | latency, errors, clientErrors, health, feedback |

A check (load test, replay, comparison) whose Job ends without an answer says nothing of the candidate, so the Job is
made again, RETRIES times at most, after a pause of PAUSE seconds that doubles with every time; then the gate holds.

What is wrong with the candidate's pods, the first row that fits:

| failure | ready replicas | verdict |
|---|---|---|
| its own, such as a crash, also one that the kubelet has mended already | any | Fail |
| no pods are made, as a quota or an admission refuses them | any | Continue, until they are |
| no node has room | it starts, so it has no traffic to lose | Continue, until one has |
| may pass by itself | it starts | Fail after START_GRACE seconds, Kubernetes' own patience |
| servers that run are not ready | any | Fail after GRACE seconds |
| replicas wait for a node, were evicted or drained, start | enough for its weight | Hold: no verdict on the candidate |
| the same | too few | Fail after GRACE seconds |

While the cause of its own failure is being read (Failure.pending), it fails when that is read, and if it has traffic
after READ_SECONDS at the latest.
"""

from collections.abc import Callable, Sequence

from modelyard.api.rollout_status import GateName, GateStatus, GateVerdict, Phase
from modelyard.core.conditions import timestamp
from modelyard.core.ownership import OBJECT_REFUSED
from modelyard.core.revisions.refused_pods import PODS_REFUSED

from . import slo_gate
from .client_errors import client_errors
from .feedback.gate import feedback
from .gate_input import GateInput
from .messages import LONGEST, duration_text
from .objectives import objectives, usable_threshold
from .sample_ratio import sample_ratio

__all__ = ["GateInput", "evaluate", "reset_gates", "usable_threshold"]

READ_SECONDS = 1.0
GRACE = 30.0
START_GRACE = 600.0
RETRIES, PAUSE = 3, 30.0
REPLICA_MISSING = "ReplicaMissing"
"""Why the gate holds while the candidate lacks replicas and it is not the candidate's fault."""
_NO_NODE, _NOT_READY = "Unschedulable", "NotReady"
_NO_ADMISSION = frozenset({PODS_REFUSED, OBJECT_REFUSED})
_WAITING: dict[str, str] = {
    GateName.LOAD_TEST: "the load test has not begun",
    GateName.REPLAY: "no recorded request has been put to it yet",
    GateName.SHADOW: "the comparison of outputs has not begun",
}
_CAUSE = 600
_ANSWERS = (GateVerdict.PASS, GateVerdict.FAIL)

Gate = Callable[[GateInput], Sequence[GateStatus]]


def evaluate(gate_input: GateInput) -> tuple[GateStatus, ...]:
    """The status of every gate of this phase, in the order of GATES; empty for a phase without gates."""
    return tuple(answer for gate in GATES.get(gate_input.phase, ()) for answer in gate(gate_input))


def reset_gates(gates: Sequence[GateStatus]) -> list[GateStatus]:
    """The counting gates as a new weight, or the next rollout, begins: counts at 0, what is known of the stable kept.

    The others (clientErrors, health, checks, sampleRatio) are left out: they have nothing to carry over.
    """
    return [slo_gate.renewed(gate) for gate in gates if gate.state is not None and gate.name != GateName.CLIENT_ERRORS]


def _counted(gate_input: GateInput) -> Sequence[GateStatus]:
    return [slo_gate.evaluate_slo_gate(gate_input, objective) for objective in objectives(gate_input.spec)]


def _health(gate_input: GateInput) -> Sequence[GateStatus]:
    failure = gate_input.failure
    if failure is None:
        return [_gate_status(GateName.HEALTH, GateVerdict.PASS, "the candidate's pods are well")]
    lasts = gate_input.now - (gate_input.now if gate_input.failing_since is None else gate_input.failing_since)
    starts = gate_input.phase is Phase.STARTING
    grace = START_GRACE if starts else GRACE
    reads = failure.pending and (not gate_input.weight or lasts < READ_SECONDS)
    if not failure.retry and not reads:
        return [_gate_status(GateName.HEALTH, GateVerdict.FAIL, failure.message)]
    if failure.reason in _NO_ADMISSION or (starts and failure.reason == _NO_NODE):
        message = f"for {duration_text(lasts)} now: {failure.message}"
        return [_gate_status(GateName.HEALTH, GateVerdict.CONTINUE, message)]
    if failure.retry and not starts and failure.reason != _NOT_READY and gate_input.has_capacity:
        message = f"it has the replicas its weight needs, so this is no verdict: {failure.message}"
        return [_gate_status(GateName.HEALTH, GateVerdict.HOLD, message).model_copy(update={"reason": REPLICA_MISSING})]
    if lasts >= grace:
        return [_gate_status(GateName.HEALTH, GateVerdict.FAIL, f"for {duration_text(lasts)} now: {failure.message}")]
    return [
        _gate_status(
            GateName.HEALTH,
            GateVerdict.CONTINUE,
            f"for {duration_text(lasts)} of {duration_text(grace)} at most: {failure.message}",
        )
    ]


def _client_errors(gate_input: GateInput) -> Sequence[GateStatus]:
    return [client_errors(gate_input)]


def _sample_ratio(gate_input: GateInput) -> Sequence[GateStatus]:
    return [sample_ratio(gate_input)] if 0 < gate_input.weight < 100 else []


def _feedback(gate_input: GateInput) -> Sequence[GateStatus]:
    return [feedback(gate_input)] if gate_input.spec.rollout.feedback is not None else []


def _tests(gate_input: GateInput) -> Sequence[GateStatus]:
    rollout = gate_input.spec.rollout
    asked = ((GateName.REPLAY, rollout.replay), (GateName.LOAD_TEST, rollout.load_test))
    return [_checked(gate_input, name) for name, options in asked if options is not None]


def _shadow(gate_input: GateInput) -> Sequence[GateStatus]:
    return [_checked(gate_input, GateName.SHADOW)]


def _checked(gate_input: GateInput, name: str) -> GateStatus:
    """The gate of a check's Job; an answer stays when the Job that gave it is gone."""
    check, before = gate_input.checks.get(name), gate_input.before.get(name)
    if check is None and before is not None and before.verdict in _ANSWERS:
        return before
    attempts = before.attempts if before is not None else 0
    if check is not None and check.retry:
        return _unanswered(gate_input, name, check.message[:_CAUSE].rstrip(".") or "its Job ended without an answer")
    if check is None or check.passed is None:
        message = _WAITING[name] if check is None else check.message or "it runs"
        return _gate_status(name, GateVerdict.CONTINUE, message).model_copy(update={"attempts": attempts})
    return _gate_status(name, GateVerdict.PASS if check.passed else GateVerdict.FAIL, check.message or "it has ended")


def _unanswered(gate_input: GateInput, name: str, why: str) -> GateStatus:
    """The gate of a Job without an answer: Continue with the time of the next attempt, Hold after RETRIES of them."""
    before = gate_input.before.get(name)
    attempts, again = (before.attempts, before.next_attempt_time) if before is not None else (0, "")
    if not again and attempts <= RETRIES:
        attempts += 1
        again = timestamp(gate_input.now + PAUSE * 2 ** (attempts - 1)) if attempts <= RETRIES else ""
    if again:
        number = f" (attempt {attempts + 1} of {RETRIES + 1})" if attempts else ""
        status = _gate_status(name, GateVerdict.CONTINUE, f"{why}; it is begun again at {again}{number}")
    else:
        again_by = "`modelyard rollout retry` begins it again, `promote` or `abort` decide without it"
        status = _gate_status(name, GateVerdict.HOLD, f"{why}; {attempts} attempts brought no answer: {again_by}")
    return status.model_copy(update={"attempts": attempts, "next_attempt_time": again})


def _gate_status(name: str, verdict: GateVerdict, message: str) -> GateStatus:
    return GateStatus(name=name, verdict=verdict, message=f"{name}: {message.rstrip('.')}."[:LONGEST])


_WEIGHTED: tuple[Gate, ...] = (_counted, _client_errors, _health, _sample_ratio, _feedback)
GATES: dict[Phase, tuple[Gate, ...]] = {
    Phase.STARTING: (_health,),
    Phase.TESTING: (_tests, _health),
    Phase.PREVIEWING: (_health,),
    Phase.MIRRORING: (_counted, _client_errors, _health, _shadow),
    Phase.ADVANCING: _WEIGHTED,
    Phase.HOLDING: _WEIGHTED,
    Phase.SPLITTING: (_counted, _health, _sample_ratio),
    Phase.BAKING: (_counted, _client_errors, _health, _feedback),
}
