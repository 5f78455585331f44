"""Claims of routes by Model: what comes, changes and goes wakes whom it concerns, and nobody else."""

from typing import Any

import pytest

from modelyard.operator.cache.objects import Key
from modelyard.operator.cache.route_claims import OthersRoutes, RouteClaims
from modelyard.settings import GatewaySettings
from tests.support.worlds.builders import a_model

DIGITS, FACES = Key("demo", "digits"), Key("demo", "faces")


def a_route(*names: str, uid: str = "uid-7", **metadata: Any) -> dict[str, Any]:
    """Somebody's route with the hosts of these Models of `demo`, accepted by our Gateway."""
    parent = {"name": "modelyard", "namespace": "modelyard-system"}
    status = {"parents": [{"parentRef": parent, "conditions": [{"type": "Accepted", "status": "True"}]}]}
    known = {"name": uid, "namespace": "shop", "uid": uid, "creationTimestamp": "2020-01-01T00:00:00Z", **metadata}
    spec = {"hostnames": [f"{name}.demo.models.local" for name in names]}
    return {"kind": "HTTPRoute", "metadata": known, "spec": spec, "status": status}


class Scene:
    def __init__(self) -> None:
        self.woken: list[Key] = []
        self.claims = RouteClaims(GatewaySettings(), self.woken.append)

    def of(self, name: str = "digits") -> list[str]:
        return [claim.ref.name for claim in self.claims.of(a_model(name))]

    def wakes(self) -> list[Key]:
        woken = sorted(self.woken)
        self.woken.clear()
        return woken


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_route_that_comes_changes_and_goes_wakes_the_models_at_its_hosts(scene: Scene) -> None:
    scene.claims.note(a_route("digits"), gone=False)
    assert (scene.of(), scene.of("faces"), scene.wakes()) == (["uid-7"], [], [DIGITS])

    scene.claims.note(a_route("faces"), gone=False)
    assert (scene.of(), scene.of("faces"), scene.wakes()) == ([], ["uid-7"], [DIGITS, FACES])

    scene.claims.note(a_route("faces"), gone=False)
    assert scene.wakes() == []

    scene.claims.note(a_route("faces"), gone=True)
    assert (scene.of("faces"), scene.wakes()) == ([], [FACES])


def test_routes_of_models_are_no_claims_of_others(scene: Scene) -> None:
    scene.claims.note(a_route("digits", ownerReferences=[{"kind": "Model", "name": "digits"}]), gone=False)

    assert (scene.of(), scene.wakes()) == ([], [])


def test_what_a_listing_does_not_hold_is_gone_and_other_kinds_stay(scene: Scene) -> None:
    http, grpc = (OthersRoutes(kind, scene.claims) for kind in ("HTTPRoute", "GRPCRoute"))
    http.listing()
    for uid in ("one", "two", "three"):
        http.take_in(None, a_route("digits", uid=uid))
    grpc.take_in("ADDED", a_route("digits", uid="grpc"))
    scene.claims.note(a_route("digits", uid="labelled"), gone=False)
    http.take_in("DELETED", a_route("digits", uid="three"))

    http.listed({"two"})

    assert scene.of() == ["grpc", "labelled", "two"]


def test_hosts_that_are_no_models_wake_nobody(scene: Scene) -> None:
    scene.claims.note(a_route("a.b"), gone=False)

    assert scene.wakes() == []
