"""How long the gateway waits for a Model's answers: Envoy's 15 s, or what the Model says, and a wait at zero on top."""

from typing import Any

import pytest
from pydantic import ValidationError

from modelyard.core.names import patience_name
from modelyard.core.resources.holding import gateway_duration
from tests.support.worlds.builders import a_model, a_serving_world
from tests.support.worlds.world import World

RESTING = {"minReplicas": 0, "maxReplicas": 2}


def limit(world: World) -> str | None:
    """The timeout of the Model's policy; None without one."""
    policy = world.object("BackendTrafficPolicy", patience_name("digits"))
    return policy["spec"]["timeout"]["http"]["requestTimeout"] if policy is not None else None


@pytest.mark.parametrize(
    ("spec", "written"),
    [
        ({}, None),
        ({"serving": {"timeout": "60s"}}, "60s"),
        ({"serving": {"timeout": "500ms"}}, "500ms"),
        ({"scaling": RESTING}, "90s"),
        ({"scaling": RESTING, "serving": {"timeout": "2m"}}, "180s"),
    ],
)
def test_the_routes_get_what_the_model_says(spec: dict[str, Any], written: str | None) -> None:
    world = a_serving_world(**spec)

    assert limit(world) == written


def test_all_three_routes_have_it_and_no_revision_changes_with_it() -> None:
    world = a_serving_world()
    before = world.status.revision

    world.ask(serving={"timeout": "60s"})
    world.settle()

    policy = world.object("BackendTrafficPolicy", patience_name("digits"))
    assert policy is not None
    targets = {(target["kind"], target["name"]) for target in policy["spec"]["targetRefs"]}
    assert targets == {("HTTPRoute", "digits"), ("HTTPRoute", "digits--path"), ("GRPCRoute", "digits")}
    assert world.status.revision == before

    world.ask(serving={})
    world.settle()
    assert limit(world) is None


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (90.0, "90s"),
        (60.5, "60500ms"),
        (0.25, "250ms"),
        (0.0004, "1ms"),
        (100.5, "101s"),
        (99_999.0, "99999s"),
        (100_000.0, "28h"),
        (1e9, "99999h"),
    ],
)
def test_durations_are_written_as_the_gateway_takes_them(seconds: float, written: str) -> None:
    assert gateway_duration(seconds) == written


@pytest.mark.parametrize("timeout", ["0s", "soon", "10"])
def test_what_is_no_time_is_refused(timeout: str) -> None:
    with pytest.raises(ValidationError, match="write a duration above 0"):
        a_model(serving={"timeout": timeout})
