"""A sample of a Model's requests has routes of its own, which come and go without touching what serves."""

import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.core.names import RECORDED_LABEL
from modelyard.core.resources.routes import last_digits, routes
from modelyard.core.resources.traffic_policies import Backend, Publication
from modelyard.core.revisions.sampling import MOST, RECHECK_SECONDS, at_most, automatic
from modelyard.core.traffic import Counts, Traffic, TrafficWindow
from modelyard.settings import RecorderSettings
from tests.support.worlds.builders import a_built_world, a_model, settings
from tests.support.worlds.world import World

BOTH = [Backend("digits-old", "a", 60), Backend("digits-new", "b", 40)]


def a_recorded_world(sample: str = "100%", recorders: bool = True, **spec: Any) -> World:
    """Version 1 serves, and its requests are to be recorded."""
    world = a_built_world(monitoring={"sample": sample}, **spec)
    world.settings = settings(recorder=RecorderSettings(installed=recorders))
    world.settle()
    return world


def rest(world: World) -> None:
    for _ in range(8):
        world.look()
        world.step()


def sampled(world: World) -> dict[str, str]:
    """The routes of the sample, by kind and name: the value that x-request-id has to match."""
    found = {}
    for kind in ("HTTPRoute", "GRPCRoute"):
        for _, route in world.api.of_kind(kind):
            name = route["metadata"]["name"]
            if "--sampled" in name:
                [match] = route["spec"]["rules"][0]["matches"]
                found[f"{kind} {name}"] = match["headers"][0]["value"]
    return found


def grants(world: World) -> list[dict[str, Any]]:
    return [thing for _, thing in world.api.of_kind("ReferenceGrant")]


def test_a_recorded_model_has_routes_of_its_sample_and_permits_the_platforms_policy() -> None:
    world = a_recorded_world("5%")
    assert sampled(world) == {
        "HTTPRoute digits--sampled": ".*[0-7]0".replace("0-7", "01234567"),
        "HTTPRoute digits--sampled-path": ".*[01234567]0",
        "GRPCRoute digits--sampled": ".*[01234567]0",
    }
    [grant] = grants(world)
    assert grant["spec"] == {
        "from": [
            {"group": "gateway.envoyproxy.io", "kind": "EnvoyExtensionPolicy", "namespace": "modelyard-system"}
        ],
        "to": [
            {"group": "gateway.networking.k8s.io", "kind": kind, "name": name}
            for kind, name in (
                ("HTTPRoute", "digits--sampled"), ("HTTPRoute", "digits--sampled-path"),
                ("GRPCRoute", "digits--sampled"),
            )
        ],
    }  # fmt: skip


def test_routes_that_go_match_nobody_first() -> None:
    world = a_recorded_world()
    del world.model["spec"]["monitoring"]
    world.look()
    assert set(sampled(world).values()) == {"digits-nobody"}
    assert len(grants(world)) == 1
    rest(world)
    assert (sampled(world), grants(world)) == ({}, [])


def test_without_recorders_nothing_is_sampled() -> None:
    world = a_recorded_world(recorders=False)
    assert (sampled(world), grants(world)) == ({}, [])


def test_recorders_that_are_uninstalled_end_it() -> None:
    world = a_recorded_world()
    world.settings = settings(recorder=RecorderSettings(installed=False))
    rest(world)
    assert (sampled(world), grants(world)) == ({}, [])


@pytest.mark.parametrize("before", ["100%", None])
def test_a_rollout_changes_no_sample(before: str | None) -> None:
    world = a_recorded_world() if before else a_built_world()
    world.settings = settings(recorder=RecorderSettings(installed=True))
    world.settle()
    had = sampled(world)
    assert bool(had) is bool(before)
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("1") == "Leaving" or world.status.rollout.active)
    world.model["spec"]["monitoring"] = {"sample": "5%"}
    world.look()
    assert sampled(world) == had
    world.settle()
    rest(world)
    assert set(sampled(world).values()) == {".*[01234567]0"}


def test_weights_of_a_sample_are_those_of_the_main_rule_at_its_place() -> None:
    publication = Publication(mirror=("digits-new", 10), sample=16)
    published = routes(a_model(), BOTH, settings().gateway, publication)
    main, by_path, grpc = published[:3]
    for plain, of_sample in zip((main, by_path, grpc), published[3:], strict=True):
        [rule] = of_sample["spec"]["rules"]
        first = plain["spec"]["rules"][0]
        assert [(one["name"], one["port"], one["weight"]) for one in rule["backendRefs"]] == [
            (one["name"], one["port"], one["weight"]) for one in first["backendRefs"]
        ]
        assert rule["filters"] == first["filters"]
        assert rule["matches"][0] == {
            **first["matches"][0],
            "headers": [{"name": "x-request-id", "value": ".*0", "type": "RegularExpression"}],
        }
        told = [one["filters"][0]["responseHeaderModifier"]["set"] for one in rule["backendRefs"]]
        assert [{one["name"]: one["value"] for one in headers} for headers in told] == [
            {"x-modelyard-revision": name, "x-modelyard-sample": "16"} for name in ("digits-old", "digits-new")
        ]
        assert of_sample["metadata"]["labels"][RECORDED_LABEL] == "true"
        assert RECORDED_LABEL not in plain["metadata"]["labels"]


@given(st.uuids(), st.sampled_from([2**power for power in range(13)]))
def test_the_last_digits_take_one_of_so_many(drawn: UUID, sample: int) -> None:
    taken = re.fullmatch(last_digits(sample), str(drawn)) is not None
    assert taken is (drawn.int % sample < 1 if sample in (1, 16, 256, 4096) else taken)
    digits = [f"{number:04x}" for number in range(1 << 13)]
    assert sum(re.fullmatch(last_digits(sample), one[-4:]) is not None for one in digits) == len(digits) // sample


@pytest.mark.parametrize(
    ("share", "one_of"), [(1.0, 1), (0.5, 2), (0.05, 32), (0.01, 128), (0.0000001, MOST), (0.99, 2)]
)
def test_a_share_is_never_exceeded_but_where_it_is_too_small(share: float, one_of: int) -> None:
    assert at_most(share) == one_of


@pytest.mark.parametrize(
    ("now", "a_minute", "then"),
    [
        (0, 0, 1), (0, 400, 1), (0, 401, 2), (0, 60_000, 256), (0, 1e9, MOST),
        (1, 1000, 1), (1, 1001, 4), (16, 1600, 16), (16, 16_000, 16), (16, 1599, 4), (16, 16_001, 64), (1, 0, 1),
    ],
)  # fmt: skip
def test_as_many_as_the_statistics_need_and_seldom_another_number(now: int, a_minute: float, then: int) -> None:
    assert automatic(now, a_minute) == then


def test_the_rate_that_counts_is_that_of_all_slots_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    world = a_recorded_world()
    world.model["spec"]["monitoring"] = {"sample": "auto"}
    assert world.look().requeue_after == RECHECK_SECONDS
    assert set(sampled(world).values()) == {".*"}
    counts, end = Counts(2000, 0, 0, {}), int(world.now)
    old = TrafficWindow(end - 400, 20, {"a": counts._replace(requests=10**6)})
    windows = (old, TrafficWindow(end, 60, {"a": counts, "b": counts}))
    monkeypatch.setattr(world, "_traffic", lambda: Traffic(windows))
    world.look()
    assert set(sampled(world).values()) == {".*0"}


def test_automatic_begins_anew_where_the_routes_were_about_to_go() -> None:
    world = a_recorded_world("5%")
    del world.model["spec"]["monitoring"]
    world.look()
    assert set(sampled(world).values()) == {"digits-nobody"}
    world.model["spec"]["monitoring"] = {"sample": "auto"}
    world.look()
    assert set(sampled(world).values()) == {".*"}


def test_routes_whose_sample_somebody_took_away_are_made_again() -> None:
    world = a_recorded_world()
    for kind in ("HTTPRoute", "GRPCRoute"):
        for _, route in world.api.of_kind(kind):
            for backend in route["spec"]["rules"][0]["backendRefs"]:
                backend.pop("filters", None)
    world.look()
    rest(world)
    assert set(sampled(world).values()) == {".*"}


def test_recorded_requests_may_take_as_long_as_others() -> None:
    world = a_recorded_world(serving={"timeout": "2m"})
    [policy] = [thing for _, thing in world.api.of_kind("BackendTrafficPolicy")]
    targets = {(one["kind"], one["name"]) for one in policy["spec"]["targetRefs"]}
    assert {f"{kind} {name}" for kind, name in targets} == {
        "HTTPRoute digits", "HTTPRoute digits--path", "GRPCRoute digits", *sampled(world)
    }  # fmt: skip
