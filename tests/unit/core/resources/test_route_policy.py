"""How the gateway is told to treat all requests of a Model."""

from typing import Any

import pytest

from modelyard.core.names import main_routes, sampled_routes
from modelyard.core.resources.holding import patience
from tests.support.worlds.builders import a_model

RESTING = {"scaling": {"minReplicas": 0, "maxReplicas": 2}}


def told(**spec: Any) -> dict[str, Any]:
    [policy] = patience(a_model(**spec), 60.0)
    return policy["spec"]


def test_a_model_that_asks_for_nothing_has_no_policy() -> None:
    assert patience(a_model(), 60.0) == []
    assert patience(a_model(monitoring={}), 60.0) == []
    assert patience(a_model(monitoring={"tracing": {"percent": 0}}), 60.0) == []


def test_requests_that_may_wait_get_the_longest_wait_and_half_a_minute() -> None:
    spec = told(**RESTING)

    assert spec["timeout"] == {"http": {"requestTimeout": "90s"}}
    assert "telemetry" not in spec


@pytest.mark.parametrize(("percent", "numerator"), [(1, 1_000), (100, 100_000), (0.5, 500), (0.00001, 1)])
def test_a_share_of_the_requests_is_traced_on_every_way_in(percent: float, numerator: int) -> None:
    spec = told(monitoring={"tracing": {"percent": percent}})

    assert spec["telemetry"]["tracing"]["samplingFraction"] == {"numerator": numerator, "denominator": 100_000}
    assert {(target["kind"], target["name"]) for target in spec["targetRefs"]} == {*main_routes("digits")}
    assert "timeout" not in spec


def test_one_policy_says_both() -> None:
    spec = told(**RESTING, monitoring={"tracing": {"percent": 1}})

    assert {"timeout", "telemetry"} <= spec.keys()
    assert spec["mergeType"] == "StrategicMerge"


def test_recorded_requests_wait_and_are_traced_like_all_others() -> None:
    [policy] = patience(a_model(**RESTING), 60.0, recorded=True)

    targets = {(target["kind"], target["name"]) for target in policy["spec"]["targetRefs"]}
    assert targets == {*main_routes("digits"), *sampled_routes("digits")}
