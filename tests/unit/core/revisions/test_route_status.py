"""What the gateway says of our routes is believed only for the generation it says it of."""

from typing import Any

import pytest

from modelyard.core.revisions.route_status import mentioned, route_failure
from modelyard.settings import GatewaySettings
from tests.support.worlds.builders import a_switching_world

GATEWAY = GatewaySettings()


def condition(kind: str, status: str = "True", generation: int | None = 2, **more: str) -> dict[str, Any]:
    observed = {} if generation is None else {"observedGeneration": generation}
    return {"type": kind, "status": status, "reason": kind, **observed, **more}


def a_route(*conditions: dict[str, Any], parent: dict[str, str] | None = None) -> dict[str, Any]:
    named = parent or {"name": "modelyard", "namespace": "modelyard-system"}
    status = {"parents": [{"parentRef": named, "conditions": list(conditions)}]}
    return {
        "kind": "HTTPRoute",
        "metadata": {"name": "digits", "namespace": "demo", "generation": 2},
        "status": status,
    }


@pytest.mark.parametrize("generation", [2, None])
def test_a_route_accepted_and_resolved_is_carried(generation: int | None) -> None:
    route = a_route(condition("Accepted", generation=generation), condition("ResolvedRefs", generation=generation))

    assert route_failure(route, GATEWAY) is None


def test_a_route_in_the_namespace_of_its_gateway_need_not_say_so() -> None:
    route = a_route(condition("Accepted"), condition("ResolvedRefs"), parent={"name": "modelyard"})
    route["metadata"]["namespace"] = "modelyard-system"

    assert route_failure(route, GATEWAY) is None


@pytest.mark.parametrize(
    "parent", [{"name": "other", "namespace": "modelyard-system"}, {"name": "modelyard", "namespace": "other"}]
)
def test_the_word_of_another_gateway_does_not_count(parent: dict[str, str]) -> None:
    route = a_route(condition("Accepted"), condition("ResolvedRefs"), parent=parent)

    assert (
        route_failure(route, GATEWAY) == "HTTPRoute digits waits for Gateway modelyard-system/modelyard to accept it."
    )


def test_a_route_nobody_spoke_of_waits() -> None:
    route = a_route()
    del route["status"]

    assert "waits for Gateway" in str(route_failure(route, GATEWAY))


@pytest.mark.parametrize(
    "conditions",
    [[condition("Accepted")], [condition("Accepted", generation=1), condition("ResolvedRefs", generation=1)]],
)
def test_what_was_said_of_an_older_generation_does_not_count(conditions: list[dict[str, Any]]) -> None:
    assert "take up its latest version" in str(route_failure(a_route(*conditions), GATEWAY))


def test_an_older_generation_is_enough_when_the_latest_is_not_asked_for() -> None:
    route = a_route(condition("Accepted", generation=1), condition("ResolvedRefs", generation=1))

    assert route_failure(route, GATEWAY, latest=False) is None


def test_a_refusal_is_quoted() -> None:
    route = a_route(condition("Accepted"), condition("ResolvedRefs", "False", message="Service x not found."))

    assert route_failure(route, GATEWAY) == "HTTPRoute digits: the gateway says ResolvedRefs: Service x not found."


def test_a_service_is_mentioned_while_any_route_names_it() -> None:
    world = a_switching_world()
    service = f"{world.revision('1').name}-predictor"

    assert mentioned(world.snapshot(), service)
    assert not mentioned(world.snapshot(), "somebody-else")
