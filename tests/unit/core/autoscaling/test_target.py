"""What one replica is to take on, measured or guessed."""

from typing import Any

import pytest

from modelyard.api.status import CapacityStatus
from modelyard.core.autoscaling.target import CONCURRENCY, QUEUE, ReplicaTarget, replica_target, sentence, within_limits
from tests.support.worlds.builders import a_model

SLO = {"latency": {"percentile": 99, "threshold": "50ms"}}


def measured(rate: float, **fields: Any) -> CapacityStatus:
    return CapacityStatus(requests_per_second=rate, at="p99<50ms", cpu=1, **fields)


def target(capacity: CapacityStatus | None, utilization: str = "75%", slo: Any = SLO) -> ReplicaTarget:
    spec = a_model(slo=slo, scaling={"maxReplicas": 4, "targetUtilization": utilization}).spec
    assert spec.scaling is not None
    return replica_target(spec, spec.scaling, capacity)


@pytest.mark.parametrize(("utilization", "per_second"), [("75%", 90.0), ("50%", 60.0), ("12.5%", 15.0)])
def test_a_measured_replica_is_to_take_on_its_share(utilization: str, per_second: float) -> None:
    aimed = target(measured(120), utilization)

    assert aimed.per_second == pytest.approx(per_second)
    assert not aimed.guess
    assert sentence(aimed, utilization) == (
        f"{per_second:g} requests/s a replica, {utilization} of the 120 that one takes on at p99<50ms"
    )


@pytest.mark.parametrize("capacity", [None, measured(0), measured(120, measured=False)], ids=["none", "0", "a guess"])
def test_without_a_measurement_the_target_is_a_guess_and_says_so(capacity: CapacityStatus | None) -> None:
    aimed = target(capacity)

    assert (aimed.per_second, aimed.in_flight, aimed.waiting) == (None, 0.75 * CONCURRENCY, QUEUE)
    assert aimed.guess
    assert "3 requests in flight a replica, which is a guess (75% of 4)" in sentence(aimed, "75%")


@pytest.mark.parametrize(
    ("rate", "slo", "waiting"),
    [(120, SLO, 3.0), (1000, SLO, 25.0), (2, SLO, 1.0), (120, {"errorRate": "1%"}, QUEUE), (120, None, QUEUE)],
)
def test_half_of_what_is_answered_within_the_slo_may_wait(rate: float, slo: Any, waiting: float) -> None:
    assert target(measured(rate), slo=slo).waiting == pytest.approx(waiting)


@pytest.mark.parametrize(
    ("resources", "rate", "cpu"),
    [
        (None, 120.0, 1.0),
        ({}, 120.0, 1.0),
        ({"limits": {"memory": "1Gi"}}, 120.0, 1.0),
        ({"requests": {"cpu": "100m"}}, 120.0, 1.0),
        ({"limits": {"cpu": "0"}}, 120.0, 1.0),
        ({"limits": {"cpu": "250m"}}, 30.0, 0.25),
        ({"limits": {"cpu": "2"}}, 120.0, 1.0),
    ],
)
def test_a_limit_below_the_measured_core_leaves_its_share_of_the_rate(resources: Any, rate: float, cpu: float) -> None:
    limited = within_limits(measured(120), resources)

    assert (limited.requests_per_second, limited.cpu) == (pytest.approx(rate), cpu)
    assert within_limits(limited, resources) == limited
