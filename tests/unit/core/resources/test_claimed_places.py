"""A host or path that a route of somebody else had first: said with its name, nothing begun, and healed by itself."""

from typing import Any

import pytest

from modelyard.core.resources.claimed_places import claim_of, model_at
from modelyard.core.snapshot import Ref, RouteClaim
from modelyard.settings import GatewaySettings
from tests.support.worlds.builders import a_built_world, a_serving_world

GATEWAY = GatewaySettings()
OLD, NEW = "2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"
SHOP = Ref("HTTPRoute", "shop", "site")
HOST, PATH = "digits.demo.models.local", "/demo/digits/"


def a_claim(*places: str, created: str = OLD) -> RouteClaim:
    return RouteClaim(SHOP, created, frozenset(places))


def a_route(accepted: str = "True", gateway: str = "modelyard", **spec: Any) -> dict[str, Any]:
    """Somebody's HTTPRoute, and what the Gateway of that name says of it."""
    parent = {"name": gateway, "namespace": "modelyard-system"}
    status = {"parents": [{"parentRef": parent, "conditions": [{"type": "Accepted", "status": accepted}]}]}
    metadata = {"name": "site", "namespace": "shop", "uid": "uid-7", "creationTimestamp": OLD}
    return {"kind": "HTTPRoute", "metadata": metadata, "spec": spec, "status": status}


def below(*paths: str, how: str = "PathPrefix") -> list[dict[str, Any]]:
    return [{"matches": [{"path": {"type": how, "value": path}}]} for path in paths]


@pytest.mark.parametrize("place", [HOST, PATH])
def test_a_new_model_waits_until_the_host_is_free(place: str) -> None:
    world = a_built_world()
    world.rivals = (a_claim(place),)

    plan = world.settle()

    assert (plan.requeue_after, world.api.objects) == (None, {})
    assert world.condition("Ready") == ("False", "HostTaken")
    assert world.condition("Stalled") == ("True", "HostTaken")
    assert world.condition("Routed") == ("False", "HostTaken")
    assert f"HTTPRoute shop/site had the {'path' if place == PATH else 'host'} {place} first" in world.message("Ready")
    assert ("Warning", "HostTaken") in world.said
    world.rivals = ()
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def test_the_older_of_two_keeps_it() -> None:
    world = a_serving_world()
    for _, route in world.api.of_kind("HTTPRoute"):
        route["metadata"]["creationTimestamp"] = "2025-01-01T00:00:00Z"
    world.rivals = (a_claim(HOST, created=NEW),)

    assert world.decide().empty
    world.look()
    assert world.condition("Ready") == ("True", "Serving")


def test_of_two_made_in_the_same_second_the_first_by_name_keeps_it() -> None:
    world = a_serving_world()
    for _, route in [*world.api.of_kind("HTTPRoute"), *world.api.of_kind("GRPCRoute")]:
        route["metadata"]["creationTimestamp"] = OLD
    world.rivals = (RouteClaim(Ref("HTTPRoute", "zoo", "site"), OLD, frozenset({HOST})),)
    assert world.decide().empty

    world.rivals = (RouteClaim(Ref("HTTPRoute", "ape", "site"), OLD, frozenset({HOST})),)
    world.look()

    assert world.condition("Ready") == ("False", "HostTaken")


def test_a_place_lost_to_an_older_route_stops_no_rollback() -> None:
    world = a_serving_world()
    for _, route in [*world.api.of_kind("HTTPRoute"), *world.api.of_kind("GRPCRoute")]:
        route["metadata"]["creationTimestamp"] = NEW
    before = set(world.api.objects)
    world.rivals = (a_claim(HOST, PATH),)
    world.look()
    assert world.condition("Routed") == ("False", "HostTaken")
    assert set(world.api.objects) == before

    world.ask(version="2")
    world.settle()

    assert [revision.version for revision in world.status.revisions] == ["2"]
    assert len(world.weights()) == 2


@pytest.mark.parametrize(
    ("route", "places"),
    [
        (a_route(hostnames=["Digits.Demo.models.local", "x.y"]), {HOST, "x.y"}),
        (a_route(hostnames=[HOST], accepted="False"), None),
        (a_route(hostnames=[HOST], gateway="another"), None),
        (a_route(rules=below("/demo/digits", "/demo/digits/v2", "/a/b/c")), {PATH, "/a/b/"}),
        (a_route(rules=below("/demo/digits/v2", how="Exact")), {PATH}),
        (a_route(rules=below("/", "/demo", "/demo//x")), None),
        (a_route(rules=below("/demo/digits.*", how="RegularExpression")), None),
        (a_route(rules=[{"matches": [{"method": "GET"}]}, {}]), None),
        (a_route(), None),
    ],
)
def test_a_claim_is_what_the_gateway_accepted(route: dict[str, Any], places: set[str] | None) -> None:
    claim = claim_of(route, GATEWAY)

    assert (claim and set(claim.places)) == places


@pytest.mark.parametrize(
    ("place", "model"),
    [
        (HOST, ("demo", "digits")),
        (PATH, ("demo", "digits")),
        ("shop.example.com", None),
        ("demo.models.local", None),
        ("a.digits.demo.models.local", None),
    ],
)
def test_a_place_is_at_most_one_models(place: str, model: tuple[str, str] | None) -> None:
    assert model_at(place, "models.local") == model
