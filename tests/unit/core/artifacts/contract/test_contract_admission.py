"""A version that breaks clients of the serving one is refused before it has a pod; what serves is untouched."""

from dataclasses import replace
from typing import Any

import pytest

from modelyard.api.entry import Tensor
from modelyard.api.lifecycle.contract import Contract
from modelyard.core.artifacts.resolve import resolve
from modelyard.core.decide import decide
from modelyard.core.names import build_digest
from modelyard.core.snapshot import Failure, Snapshot
from tests.support.worlds.builders import a_serving_world
from tests.support.worlds.world import World


def a_contract(version: str, width: int = 4, answer: int | None = None) -> Contract:
    x, y = (
        Tensor(name=name, datatype="FP32", shape=(-1, size), description="")
        for name, size in (("x", width), ("y", answer or width))
    )
    return Contract(entry=f"entry {version}", inputs=(x,), outputs=(y,))


def asked(world: World, after: Any, before: Any = None, **source: Any) -> Snapshot:
    """What is seen once version 2 is asked for and built, with the contracts of both."""
    world.ask(version="2")
    seen = world.snapshot()
    spec = seen.model.spec
    model = seen.model.model_copy(
        update={"spec": spec.model_copy(update={"source": spec.source.model_copy(update=source)})}
    )
    assert not isinstance(seen.entry, Failure)
    wanted, serving = build_digest(seen.entry.digest, model.name, {}), model.status.revisions[0].digest
    return replace(seen, model=model, contracts={serving: before or a_contract("1"), wanted: after})


def test_a_version_that_breaks_clients_is_not_begun() -> None:
    world = a_serving_world()
    seen = asked(world, a_contract("2", width=5))

    plan = decide(seen, world.settings)

    assert plan.status is not None
    conditions = {each["type"]: each for each in plan.status["conditions"]}
    assert (conditions["Built"]["status"], conditions["Built"]["reason"]) == ("False", "ContractChanged")
    assert (conditions["Stalled"]["status"], conditions["Serving"]["status"]) == ("True", "True")
    assert conditions["Built"]["message"] == (
        "Version 2 is not begun, because clients of version 1 would notice: input x had the shape [-1, 4] and has "
        "[-1, 5]; output y had the shape [-1, 4] and has [-1, 5]. Push a version that keeps what clients rely on, or "
        "write source.allowContractChange: true once they are ready for it."
    )
    assert [revision["version"] for revision in plan.status["revisions"]] == ["1"]
    assert [thing["kind"] for thing in plan.apply if thing["kind"] == "InferenceService"] == []
    assert plan.delete == plan.scale == ()
    assert [(event.type, event.reason) for event in plan.events] == [("Warning", "ContractChanged")]


@pytest.mark.parametrize(
    ("after", "before", "source"),
    [
        (a_contract("2"), None, {}),
        (a_contract("2", width=-1, answer=4), None, {}),
        (a_contract("2", width=5), None, {"allow_contract_change": True}),
        (a_contract("1", width=5), None, {}),
        (None, None, {}),
    ],
    ids=["same", "wider", "allowed", "another artifact of the same entry", "a report of an older builder"],
)
def test_what_clients_do_not_notice_and_what_is_allowed_is_begun(
    after: Any, before: Any, source: dict[str, Any]
) -> None:
    world = a_serving_world()
    seen = asked(world, after, before, **source)

    found = resolve(seen, world.settings)

    assert found.revision is not None
    assert found.revision.version == "2"


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("pending", [True, False])
def test_while_a_contract_is_not_known_nothing_is_begun_and_nothing_is_final(side: str, pending: bool) -> None:
    world = a_serving_world()
    away = Failure("Unreachable", "The store does not answer.", retry=True, pending=pending)
    contracts = {"before": a_contract("1"), "after": a_contract("2"), side: away}
    seen = asked(world, contracts["after"], contracts["before"])

    found = resolve(seen, world.settings)

    assert (found.revision, found.stalled, found.built) == (None, False, (None, away.reason, away.message))
    assert seen.incomplete is pending


def test_a_revision_that_was_begun_is_not_questioned_again() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: len(world.status.revisions) == 2)
    seen = world.snapshot()
    contracts = {
        revision.digest: a_contract(revision.version, width=int(revision.version))
        for revision in world.status.revisions
    }

    found = resolve(replace(seen, contracts=contracts), world.settings)

    assert found.revision is not None


def test_more_than_four_breaks_are_counted() -> None:
    world = a_serving_world()
    inputs = tuple(Tensor(name=f"i{number}", datatype="FP32", shape=(1,), description="") for number in range(6))
    seen = asked(world, a_contract("2").model_copy(update={"inputs": inputs}))

    assert "; and 3 more. Push" in resolve(seen, world.settings).built.message
