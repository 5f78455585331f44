"""How the promises of `spec.slo` are kept, and alerts on how fast their budgets burn, for every Model at once.

The operator exports what was promised (`modelyard_slo_allowed_ratio{objective}`; for latency the bucket that judges),
so that these rules serve all Models, and a changed promise counts at the operator's next scrape. For each objective two
series say how much was counted and how much of it was bad, each second; everything else follows from their sums over
time. A sum over samples is weighted by requests, and has no part in times for which there is no sample.
"""

from modelyard.core.slo.burn_rates import ALERTS, FEWEST_BAD, WINDOWS, BurnAlert, Severity, by_severity
from modelyard.core.slo.objectives import Promise

from .requests import BUCKETS, ERROR_RATIO, ERRORS, GIVEN_UP, REQUESTS, SECONDS
from .rule import BY_MODEL, RATE, Alert, Recording, RuleGroup, remembered

ALLOWED = "model:modelyard_slo:allowed"
TOTAL, BAD = f"model:modelyard_slo_total:rate{RATE}", f"model:modelyard_slo_bad:rate{RATE}"
AVAILABLE = "model:modelyard_available:now"
BURN, INCREASE = "model:modelyard_slo_burn", "model:modelyard_slo_bad:increase"
FAST, SLOW = "ModelyardBudgetBurnsFast", "ModelyardBudgetBurnsSlowly"
_BOUND = "model:modelyard_slo_latency_bound:current"
_READY = f"max by ({BY_MODEL}) (modelyard_model_ready)"
_LATE = frozenset({"1d", "3d"})
_LATE_SECONDS = 300
"""Interval of the windows of days, which are dear to sum up and change slowly."""
_RUNBOOK = "platform/docs/runbooks/error-budget-burns.md"


def groups() -> tuple[RuleGroup, ...]:
    """Counts first, then burn rates, then alerts."""
    hours = tuple(rule for window in WINDOWS if window not in _LATE for rule in _burn(window))
    days = tuple(rule for window in WINDOWS if window in _LATE for rule in _burn(window))
    return (
        RuleGroup("modelyard-slo", SECONDS, (*_counts(), *hours)),
        RuleGroup("modelyard-slo-days", _LATE_SECONDS, days),
        RuleGroup("modelyard-slo-alerts", SECONDS, (_alert(Severity.PAGE, FAST), _alert(Severity.TICKET, SLOW))),
    )


def _counts() -> tuple[Recording, ...]:
    """What is counted of each objective and what of it is bad; of latency only where a bucket can tell."""
    errors, latency, availability = ({"objective": promise.value} for promise in Promise)
    answered = f'sum by ({BY_MODEL}) (slot:{BUCKETS}{{le="+Inf"}})'
    gone = f"sum by ({BY_MODEL}) (slot:{GIVEN_UP})"
    timed = f"({answered} + ({gone} or 0 * {answered})) and on ({BY_MODEL}) {_BOUND}"
    within = f"sum by ({BY_MODEL}) (slot:{BUCKETS} * on ({BY_MODEL}, le) group_left () {_BOUND})"
    failing = f"model:{ERROR_RATIO} >= bool 0.5 or on ({BY_MODEL}) 0 * {_READY}"
    slow_total = f'{TOTAL}{{objective="{Promise.LATENCY}"}}'
    return (
        Recording(ALLOWED, remembered("modelyard_slo_allowed_ratio", f"{BY_MODEL}, objective")),
        Recording(_BOUND, remembered("modelyard_slo_latency_bound", f"{BY_MODEL}, le")),
        Recording(AVAILABLE, f"{_READY} * on ({BY_MODEL}) (1 - ({failing}))"),
        Recording(TOTAL, f"model:{REQUESTS}", errors),
        Recording(BAD, f"model:{ERRORS}", errors),
        Recording(TOTAL, timed, latency),
        Recording(BAD, f"clamp_min(sum by ({BY_MODEL}) ({slow_total}) - {within}, 0)", latency),
        Recording(TOTAL, f"0 * {AVAILABLE} + 1", availability),
        Recording(BAD, f"1 - {AVAILABLE}", availability),
    )


def _burn(window: str) -> tuple[Recording, ...]:
    """The burn rate over a window, and for long windows of alerts the number of bad requests in it."""
    ratio = f"sum_over_time({BAD}[{window}]) / (sum_over_time({TOTAL}[{window}]) > 0)"
    burn = Recording(f"{BURN}:rate{window}", f"({ratio}) / on ({BY_MODEL}, objective) {ALLOWED}")
    if all(window != alert.long for alert in ALERTS):
        return (burn,)
    return (burn, Recording(f"{INCREASE}{window}", f"{SECONDS} * sum_over_time({BAD}[{window}])"))


def _alert(severity: Severity, name: str) -> Alert:
    of_model = "Model {{ $labels.namespace }}/{{ $labels.model }}"
    burns = "{{ $value | humanize }} times as fast as its objective ({{ $labels.objective }}) allows"
    return Alert(
        name,
        "\nor\n".join(f"({_burning(alert)})" for alert in by_severity(severity)),
        severity,
        f"{of_model} uses up its error budget {burns}.",
        "modelyard slo {{ $labels.model }} -n {{ $labels.namespace }}",
        _RUNBOOK,
    )


def _burning(alert: BurnAlert) -> str:
    return (
        f"{BURN}:rate{alert.long} > {alert.burn:g} and {BURN}:rate{alert.short} > {alert.burn:g} "
        f"and {INCREASE}{alert.long} >= {FEWEST_BAD}"
    )
