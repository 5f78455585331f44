"""The gate `feedback`: by the labels that came, is the candidate wrong more often than the stable, and by how much?

Only with `rollout.feedback`. What is compared is counted from the beginning of the rollout, not of a step: labels come
slowly. Users of an A/B test stay with one side, and so do their mistakes, so nothing is said of such a one.

| verdict | when, the first that holds |
|---|---|
| Fail | more than `margin` above the stable is proven, at 1 % for the whole rollout |
| Pass | less than that is proven, and `labels` labelled requests of each were counted |
| Continue | the candidate has all the traffic: what is not known by then holds nothing up |
| ProviderError | what the evaluator wrote cannot be read: the store does not answer, or nobody records |
| Hold | the evaluator is silent for STALE seconds |
| NoData | no answer of the candidate has a label, PATIENCE seconds after its weight was set |
| Continue | none of these: labels are still to come |

What passed or failed once and cannot be read now stays.
"""

import math

from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.rollout import FeedbackGate
from modelyard.api.rollout_status import GateName, GateStatus, GateVerdict
from modelyard.core.analysis.gate_input import GateInput
from modelyard.core.analysis.gate_result import short
from modelyard.core.analysis.messages import LONGEST, duration_text, percent
from modelyard.core.conditions import epoch
from modelyard.core.snapshot import Failure

from .evidence import ALPHA, BETA, LabelledEvidence, labelled_evidence, remaining

NO_LABELS, SILENT = "NoLabels", "EvaluationStopped"
PATIENCE = 1800.0
STALE = 7200.0
_LARGEST = 700.0
_WHY = "the log of deploy/modelyard-evaluator says why"
_SEND = "`modelyard feedback` sends some"
_DECIDE = "`modelyard rollout promote` or `abort` decide without it"
_UNDECIDED = "undecided, and at this rate of wrong answers no pass is in sight"
_ANSWERS = (GateVerdict.PASS, GateVerdict.FAIL)


def feedback(gate_input: GateInput) -> GateStatus:
    """The gate's status. Needs `rollout.feedback` in the spec."""
    options = gate_input.spec.rollout.feedback or FeedbackGate()
    known = gate_input.labelled
    if isinstance(known, LabelledComparison):
        return _judged(gate_input, options, known)
    before = gate_input.before.get(GateName.FEEDBACK)
    if before is not None and before.verdict in _ANSWERS:
        return before
    if known is None or known.pending or gate_input.without_baseline:
        verdict, end, reason = _without_labels(gate_input)
        return _status(verdict, f"no labelled answer of the candidate is known yet; {end}", reason)
    return _status(GateVerdict.PROVIDER_ERROR, _unreadable(known), known.reason)


def _judged(gate_input: GateInput, options: FeedbackGate, known: LabelledComparison) -> GateStatus:
    found = labelled_evidence(known.units, options.allowed())
    verdict, end, reason = _verdict(gate_input, options, known, found)
    if not known.requests:
        return _status(verdict, f"no labelled answer of the candidate is known yet; {end}", reason)
    missing = remaining(found, known.requests) if verdict is GateVerdict.CONTINUE else None
    if missing is not None:
        missing = max(missing, options.labels - min(known.requests, known.stable_requests), 1)
        end = f"undecided: needs about {missing} more labelled requests"
    return _status(verdict, f"{_counts(options, known)}; {end or _UNDECIDED}", reason).model_copy(
        update={
            "requests": known.requests,
            "failed_requests": round(known.wrong),
            "stable_requests": known.stable_requests,
            "stable_failed_requests": round(known.stable_wrong),
            "evidence_against": _e_value(found.against),
            "fail_threshold": short(1.0 / ALPHA),
            "evidence_for": _e_value(found.favour),
            "pass_threshold": short(1.0 / BETA),
            "overdispersion": short(found.phi),
            "eta": None if missing is None else _seconds(known, missing),
        }
    )


def _verdict(
    gate_input: GateInput, options: FeedbackGate, known: LabelledComparison, found: LabelledEvidence
) -> tuple[GateVerdict, str, str]:
    """Verdict, the end of the sentence (empty: it depends on how many labels are needed), and a reason."""
    if found.fails:
        against = f"evidence against it {_e_value(found.against):g} of {1.0 / ALPHA:g} needed: fails"
        return GateVerdict.FAIL, against, ""
    if found.passes and min(known.requests, known.stable_requests) >= options.labels:
        favour = f"evidence for it {_e_value(found.favour):g} of {1.0 / BETA:g} needed: passes"
        return GateVerdict.PASS, favour, ""
    silent = gate_input.now - epoch(known.time)
    if silent > STALE and not gate_input.without_baseline:
        end = f"nobody has gone through labels for {duration_text(silent)}: {_WHY}; {_DECIDE}"
        return GateVerdict.HOLD, end, SILENT
    if known.learning:
        return GateVerdict.CONTINUE, f"{known.learning} labels more of the stable, and its usual errors are known", ""
    return (GateVerdict.CONTINUE, "", "") if known.requests else _without_labels(gate_input)


def _without_labels(gate_input: GateInput) -> tuple[GateVerdict, str, str]:
    """The same while no answer of the candidate has a label."""
    lasts = gate_input.now - gate_input.since
    if gate_input.without_baseline or lasts < PATIENCE:
        return GateVerdict.CONTINUE, "it waits for labels of what both revisions answer now", ""
    end = f"its weight was set {duration_text(lasts)} ago, and it waits for labels: {_SEND}; {_DECIDE}"
    return GateVerdict.NO_DATA, end, NO_LABELS


def _seconds(known: LabelledComparison, missing: int) -> int:
    """How long so many more labelled requests of the candidate take, as they came so far."""
    return math.ceil(missing * max(1.0, epoch(known.time) - epoch(known.since)) / known.requests)


def _counts(options: FeedbackGate, known: LabelledComparison) -> str:
    what = "answered wrong" if known.event == "wrong" else f"answered with an {known.event}"
    mine = f"{round(known.wrong, 1):g} of {known.requests} labelled requests were {what}"
    stable = f"stable {round(known.stable_wrong, 1):g} of {known.stable_requests}"
    both = f"{mine}{_rate(known.wrong, known.requests)}; {stable}{_rate(known.stable_wrong, known.stable_requests)}"
    return f"{both}; allowed {percent(options.allowed())} more"


def _rate(wrong: float, requests: int) -> str:
    return f" ({percent(wrong / requests)})" if wrong else ""


def _unreadable(failure: Failure) -> str:
    why = failure.message.rstrip(".")[:300]
    return f"what labels say cannot be read ({why}): it waits for that; {_DECIDE}"


def _status(verdict: GateVerdict, message: str, reason: str = "") -> GateStatus:
    said = f"{GateName.FEEDBACK}: {message}."[:LONGEST]
    return GateStatus(name=GateName.FEEDBACK, verdict=verdict, reason=reason, message=said)


def _e_value(log: float) -> float:
    return short(math.exp(min(log, _LARGEST)))
