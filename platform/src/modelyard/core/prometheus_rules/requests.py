"""Rate, errors and latency by slot, by revision and by Model.

Which revision holds a slot is told by the operator (`modelyard_revision_slot`, whose value is when the revision came
to where it is now: of two that are named for a slot for a moment, the newer one counts). Sums by Model do not depend on
that, so nothing that alerts does.
"""

from . import gateway_counters as gateway
from .rule import BY_MODEL, BY_REVISION, BY_SLOT, RATE, Recording, RuleGroup, remembered

SECONDS = 30
"""Interval of the rules that others sum up over time."""
QUANTILES = (0.5, 0.9, 0.99)
REQUESTS, ERRORS = f"modelyard_requests:rate{RATE}", f"modelyard_errors:rate{RATE}"
BUCKETS, GIVEN_UP = f"modelyard_milliseconds_bucket:rate{RATE}", f"modelyard_given_up:rate{RATE}"
ERROR_RATIO, LATENCY = f"modelyard_errors:ratio{RATE}", f"modelyard_latency_seconds:quantile{RATE}"
HOLDER = "slot:modelyard_revision:current"
REVISION = "revision:modelyard_revision:current"


def group() -> RuleGroup:
    """All of them, slots first."""
    named = remembered("modelyard_revision_slot", f"{BY_SLOT}, revision, version")
    rules = [
        Recording(f"slot:{REQUESTS}", gateway.requests()),
        Recording(f"slot:{ERRORS}", f"{gateway.errors()}\nor 0 * slot:{REQUESTS}"),
        Recording(f"slot:{BUCKETS}", gateway.buckets()),
        Recording(f"slot:{GIVEN_UP}", gateway.given_up()),
        Recording(HOLDER, f"topk by ({BY_SLOT}) (1,\n{named}\n) > bool 0"),
        Recording(REVISION, f"max by ({BY_REVISION}, version) ({HOLDER})"),
    ]
    for level, labels in (("revision", BY_REVISION), ("model", BY_MODEL)):
        rules += [
            Recording(f"{level}:{REQUESTS}", f"sum by ({labels}) ({_of(level, REQUESTS)})"),
            Recording(f"{level}:{ERRORS}", f"sum by ({labels}) ({_of(level, ERRORS)})"),
            Recording(f"{level}:{ERROR_RATIO}", f"{level}:{ERRORS} / ({level}:{REQUESTS} > 0)"),
            *(_quantile(level, labels, quantile) for quantile in QUANTILES),
        ]
    return RuleGroup("modelyard-requests", SECONDS, tuple(rules))


def _of(level: str, metric: str) -> str:
    if level == "model":
        return f"slot:{metric}"
    return f"slot:{metric} * on ({BY_SLOT}) group_left (revision) {HOLDER}"


def _quantile(level: str, labels: str, quantile: float) -> Recording:
    """In seconds; absent without answers, of which the quantile is no number."""
    counted = f"sum by ({labels}, le) ({_of(level, BUCKETS)})"
    return Recording(
        f"{level}:{LATENCY}",
        f"histogram_quantile({quantile}, {counted}) / 1000 >= 0",
        {"quantile": f"{quantile:g}"},
    )
