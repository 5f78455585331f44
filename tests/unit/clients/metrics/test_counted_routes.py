"""Every backend that users reach counts for the slot of its revision, whatever routes are made for a rollout."""

from collections.abc import Mapping
from typing import Any

import pytest

from modelyard.api.rollout import AB
from modelyard.clients.metrics.counters import source_of
from modelyard.core.names import REVISION_HEADER, predictor
from modelyard.core.resources.routes import routes
from modelyard.core.resources.traffic_policies import Backend, Publication
from tests.support.worlds.builders import a_model, settings

SLOTS = {predictor("digits-old"): "a", predictor("digits-new"): "b"}
BOTH = [Backend("digits-old", "a", 60), Backend("digits-new", "b", 40)]


def counted(publication: Publication) -> dict[str, tuple[str | None, Mapping[str, Any], str]]:
    """By cluster as Envoy Gateway names it: the slot it counts for, its rule, and the Service behind it."""
    found = {}
    for route in routes(a_model(), BOTH, settings().gateway, publication):
        for index, rule in enumerate(route["spec"]["rules"]):
            for number, backend in enumerate(rule["backendRefs"]):
                name = f"{route['kind'].lower()}/demo/{route['metadata']['name']}/rule/{index}/backend/{number}"
                source = source_of(name)
                found[name] = (source.slot if source else None, rule, backend["name"])
    return found


def pinned(rule: Mapping[str, Any]) -> bool:
    return any(one["name"] == REVISION_HEADER for one in rule["matches"][0].get("headers", []))


@pytest.mark.parametrize(
    ("publication", "clusters"),
    [
        (Publication(), 6),
        (Publication(sticky=AB(weight=40, header="x-user-id")), 12),
        (Publication(sticky=AB(weight=40, cookie="side")), 12),
        (Publication(preview="digits-new"), 6),
        (Publication(sample=16), 12),
        (Publication(sticky=AB(weight=40, cookie="side"), sample=16), 18),
    ],
    ids=[
        "a split",
        "users known by a header",
        "users known by a cookie",
        "a preview",
        "a sample",
        "a sample beside sides",
    ],
)
def test_what_users_reach_counts_for_its_slot_and_nothing_else_counts(publication: Publication, clusters: int) -> None:
    found = counted(publication)
    users = {
        name: (slot, service)
        for name, (slot, rule, service) in found.items()
        if not pinned(rule) and "--preview" not in name
    }

    assert len(users) == clusters
    assert {name: slot for name, (slot, _) in users.items()} == {
        name: SLOTS[service] for name, (_, service) in users.items()
    }
    assert {slot for name, (slot, *_) in found.items() if name not in users} == {None}
