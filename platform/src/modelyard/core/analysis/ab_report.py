"""What an A/B test found so far: counts, rates with their intervals, and whether the sides have their shares.

A rate's interval is Wilson's, the difference of two rates' is Newcombe's hybrid of both (method 10), each at 95 %.
Neither is sequential: the report describes, and does not decide. Sources: E. B. Wilson, JASA 22 (1927) 209;
R. G. Newcombe, Statistics in Medicine 17 (1998) 873.
"""

import math
from typing import Any

from modelyard.api.rollout_status import GateName, RolloutStatus

_Z = 1.959964


def sides(rollout: RolloutStatus) -> dict[str, Any] | None:
    """`status.rollout.report` of an A/B test, or None before anything was counted.

    By gate (errors, latency): `stable` and `candidate` with requests, bad ones, rate and [low, high] of its interval,
    `difference` as [candidate's rate less the stable's, low, high]; `share` as fractions. All rates lie in 0..1.
    """
    counted = [gate for gate in rollout.gates if gate.name in (GateName.ERRORS, GateName.LATENCY) and gate.requests]
    if not counted:
        return None
    report: dict[str, Any] = {}
    for gate in counted:
        a, b = (
            interval(gate.stable_failed_requests, gate.stable_requests),
            interval(gate.failed_requests, gate.requests),
        )
        report[gate.name] = {
            "stable": _side(gate.stable_requests, gate.stable_failed_requests, a),
            "candidate": _side(gate.requests, gate.failed_requests, b),
            "difference": [_round(bound) for bound in difference(a, b)],
        }
    total = counted[0].requests + counted[0].stable_requests
    report["share"] = {"asked": rollout.weight / 100, "observed": _round(counted[0].requests / total)}
    return report


def interval(bad: int, requests: int) -> tuple[float, float, float]:
    """(rate, low, high) of `bad` out of `requests`, each in 0..1, by Wilson at 95 %; (0, 0, 1) without requests."""
    if not requests:
        return 0.0, 0.0, 1.0
    rate, spread = bad / requests, _Z**2 / requests
    middle = (rate + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(rate * (1 - rate) / requests + spread / (4 * requests)) / (1 + spread)
    return rate, max(0.0, middle - half), min(1.0, middle + half)


def difference(a: tuple[float, float, float], b: tuple[float, float, float]) -> tuple[float, float, float]:
    """(rate of b less rate of a, low, high) by Newcombe, from two results of `interval`."""
    gap = b[0] - a[0]
    below = math.hypot(b[0] - b[1], a[2] - a[0])
    above = math.hypot(b[2] - b[0], a[0] - a[1])
    return gap, gap - below, gap + above


def _side(requests: int, bad: int, estimate: tuple[float, float, float]) -> dict[str, Any]:
    rate, *bounds = (_round(number) for number in estimate)
    return {"requests": requests, "bad": bad, "rate": rate, "interval": bounds}


def _round(number: float) -> float:
    return float(f"{number:.4g}")
