"""What may happen to a world in which revisions are rolled out by evidence, beside everything in `happenings`.

Times are short and requests many, so that a rollout is over within some dozen looks.
"""

from typing import Any

from hypothesis import strategies as st

from modelyard.api.rollout import Action
from modelyard.core.snapshot import Check
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.random_events import ACCIDENTS, WISHES, Named, rounds, wished
from tests.support.worlds.rollouts import SLO
from tests.support.worlds.world import World

RATE = 200
_SHORT = {"bake": "5s", "maxDuration": "60s", "abortScaleDownDelay": "10s"}
_CANARY = {"strategy": "Canary", "steps": [{"weight": 20}], **_SHORT}
_SHADOW = {"strategy": "Shadow", "maxDuration": "60s", "abortScaleDownDelay": "10s"}
ROLLOUTS: tuple[dict[str, Any], ...] = (
    _CANARY,
    {**_CANARY, "loadTest": {}},
    {**_CANARY, "steps": [{"weight": 20, "pause": True}]},
    {**_CANARY, "onInconclusive": "Promote"},
    {"strategy": "BlueGreen", "preview": {"hold": "3s"}, **_SHORT},
    {**_SHADOW, "shadow": {"duration": "5s"}},
    {**_SHADOW, "shadow": {"duration": "5s", "then": "Canary"}, "steps": [{"weight": 20}], "bake": "5s"},
    {"strategy": "AB", "ab": {"weight": 30, "header": "x-user-id", "duration": "5s"}, "abortScaleDownDelay": "10s"},
    {"strategy": "Recreate"},
    {"strategy": "Immediate"},
)


def a_world_with_users(rollout: dict[str, Any]) -> World:
    """Version 1 serves, and users ask it."""
    world = a_built_world(rollout=rollout, slo=SLO)
    world.settle()
    world.users.rate = RATE
    world.sleep(10)
    return world


def made(version: str, bad: float, slow: float) -> Named:
    def happen(world: World) -> None:
        world.users.bad[version], world.users.slow[version] = bad, slow

    return Named(f"of version {version} {bad:.0%} fail and {slow:.0%} are slow", happen)


def asked(rate: int) -> Named:
    return Named(f"{rate} requests per second", lambda world: setattr(world.users, "rate", rate))


def counted(away: bool) -> Named:
    return Named(f"the metrics are {'away' if away else 'back'}", lambda world: setattr(world.users, "away", away))


def examined(gate: str, check: Check) -> Named:
    return Named(f"{gate} says {check.passed}", lambda world: world.examined.update({gate: check}))


def told(action: Action, number: int) -> Named:
    """A command; the same number is the same id."""

    def happen(world: World) -> None:
        rollout = {**world.model["spec"]["rollout"], "command": {"id": str(number), "action": action.value}}
        world.ask(rollout=rollout)

    return Named(f"somebody tells {action} as {number}", happen)


def watched(seconds: int, crash_after: int | None) -> Named:
    """Some seconds go by, with a look at each; the first may crash."""

    def happen(world: World) -> None:
        for second in range(seconds):
            rounds(crash_after if second == 0 else None, 1, 1.0).happen(world)

    return Named(f"{seconds} looks (crash after {crash_after})", happen)


CHECKS = (Check(passed=True), Check(False, "It failed."), Check(None, "The node is gone.", retry=True))
STRATEGIES = st.sampled_from(ROLLOUTS)
EVIDENCE = st.one_of(
    st.builds(
        made, st.sampled_from(["1", "2", "2", "2"]), st.sampled_from([0, 0.02, 0.3, 1]), st.sampled_from([0, 0.3])
    ),
    st.builds(asked, st.sampled_from([0, 1, RATE])),
    st.builds(counted, st.booleans()),
    st.builds(examined, st.sampled_from(["loadTest", "shadow"]), st.sampled_from(CHECKS)),
)
PEOPLE = st.one_of(
    st.builds(told, st.sampled_from(Action), st.integers(0, 3)),
    st.builds(lambda rollout: wished(rollout=rollout), STRATEGIES),
    st.builds(lambda version: wished(version=version), st.sampled_from(["1", "2", "2", "3"])),
)
WATCHING = st.builds(watched, st.sampled_from([1, 3, 10]), st.one_of(st.none(), st.integers(0, 5)))
ROLLOUT_HAPPENINGS = st.lists(
    st.one_of(WATCHING, WATCHING, WATCHING, EVIDENCE, PEOPLE, WISHES, ACCIDENTS), min_size=5, max_size=25
)
