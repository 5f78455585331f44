"""How many more pods the quotas of a namespace allow, resource by resource."""

from fractions import Fraction
from typing import Any

import pytest

from modelyard.core.autoscaling.quota_room import quota_room, taken
from modelyard.core.cluster_room import ReplicaSize

REQUESTS = ReplicaSize(Fraction(1), Fraction(2**30), Fraction(1))
LIMITS = ReplicaSize(Fraction(2), Fraction(2**31))


def quota(name: str = "models", used: dict[str, str] | None = None, **hard: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"hard": hard, "used": used or {}}}


@pytest.mark.parametrize(
    ("resource", "hard", "fits"),
    [
        ("pods", "3", 3),
        ("count/pods", "3", 3),
        ("cpu", "2500m", 2),
        ("requests.cpu", "2", 2),
        ("memory", "3Gi", 3),
        ("requests.memory", "512Mi", 0),
        ("requests.nvidia.com/gpu", "1", 1),
        ("limits.cpu", "5", 2),
        ("limits.memory", "4Gi", 2),
    ],
)
def test_every_resource_of_a_pod_counts(resource: str, hard: str, fits: int) -> None:
    room = quota_room(REQUESTS, LIMITS, [quota(**{resource: hard})])

    assert room is not None
    assert (room.fits, room.name, room.resource) == (fits, "models", resource)


def test_the_scarcest_of_all_decides() -> None:
    room = quota_room(REQUESTS, LIMITS, [quota(pods="9"), quota("team", {"cpu": "3"}, cpu="4", memory="9Gi")])

    assert room is not None
    assert (room.fits, room.name, room.resource, room.left) == (1, "team", "cpu", 1)


def test_more_used_than_allowed_is_none_and_what_goes_is_given_back() -> None:
    over = [quota(used={"cpu": "6"}, cpu="4")]

    assert quota_room(REQUESTS, LIMITS, over)[:1] == (0,)  # type: ignore[index]
    assert quota_room(REQUESTS, LIMITS, over, taken(REQUESTS.times(3), LIMITS.times(3), 3))[:1] == (1,)  # type: ignore[index]


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"scopes": ["NotTerminating"]}, True),
        ({"scopes": ["NotBestEffort", "NotTerminating"]}, True),
        ({"scopes": ["BestEffort"]}, False),
        ({"scopes": ["Terminating"]}, False),
        ({"scopeSelector": {"matchExpressions": []}}, False),
    ],
)
def test_a_quota_for_other_pods_does_not_count(spec: dict[str, Any], counts: bool) -> None:
    room = quota_room(REQUESTS, LIMITS, [{**quota(pods="1"), "spec": spec}])

    assert (room is not None) is counts


def test_quotas_of_other_things_and_without_a_status_say_nothing() -> None:
    assert quota_room(REQUESTS, LIMITS, [quota(services="1"), {"metadata": {"name": "new"}}]) is None
