"""Whatever happens to a rollout, it ends: one revision serves, the wanted one, or the stable when that was refused.

The promises on the way are checked by `tests.support.worlds.invariants` at every write.
"""

from typing import Any

from hypothesis import given, settings

from modelyard.api.rollout_status import Phase
from modelyard.api.status import Stage
from modelyard.core.names import predictor
from tests.support.worlds.random_events import Named
from tests.support.worlds.random_rollout_events import RATE, ROLLOUT_HAPPENINGS, STRATEGIES, a_world_with_users
from tests.support.worlds.rollouts import state, tell
from tests.support.worlds.world import BROKEN, World

CALM = 600


def calm_down(world: World) -> None:
    """Nothing is bad any more, the counters come, users are there."""
    world.calm_down()
    world.users.bad.clear()
    world.users.slow.clear()
    world.users.away, world.users.rate = False, RATE
    world.examined.clear()


def end(world: World) -> None:
    """Lived to the end; what waits for a person is told to go on, and a check that was lost is begun again."""
    calm_down(world)
    for look in range(CALM):
        heard, plan = dict(world.probes), world.look()
        if not world.step() and plan.empty and world.probes == heard:
            if plan.requeue_after is None:
                return
            world.sleep(plan.requeue_after)
        if state(world).reason in ("Paused", "PauseStep"):
            tell(world, "resume", f"on-{look}")
        if state(world).reason == "CheckFailed":
            tell(world, "retry", f"off-{look}")
    raise AssertionError(f"never over: {state(world)}")


def wanted_version(world: World) -> str:
    source = world.model["spec"]["source"]
    return source.get("version") or world.aliases[source["alias"]]


def assert_ended_well(world: World) -> None:
    version, rollout = wanted_version(world), state(world)
    serving = [one for one in world.status.revisions if one.stage is Stage.SERVING]
    assert [one.weight for one in serving] == [100]
    assert serving == world.status.revisions
    assert {name for name, _ in world.weights()} == {predictor(serving[0].name)}
    assert serving[0].name == rollout.stable
    if version not in world.entries or version == BROKEN:
        assert world.condition("Stalled")[0] == "True"
        return
    refused = rollout.rejected != ""
    failed = world.status.optimization is not None and world.status.optimization.failure != ""
    waits = failed and world.model["spec"]["optimize"].get("wait", False)
    assert rollout.phase is Phase.IDLE or waits  # with `wait`, a failed optimization is a failed build
    served = serving[0].version == version
    assert served or refused or waits, f"{serving[0].version} serves, {version} is wanted: {rollout}"
    assert world.condition("Ready")[0] == str(not refused and not failed)
    if served and not refused:
        optimized = "" if failed else world.optimized_of(version)
        assert serving[0].digest == (optimized or world.build_of(version)) or waits


@settings(max_examples=settings().max_examples // 6)
@given(STRATEGIES, ROLLOUT_HAPPENINGS)
def test_every_rollout_ends_with_one_revision_that_serves_and_nothing_left_to_do(
    rollout: dict[str, Any], happenings: list[Named]
) -> None:
    world = a_world_with_users(rollout)

    for one in happenings:
        one.happen(world)
    end(world)

    assert_ended_well(world)
    plan = world.decide()
    assert plan.empty
    assert plan.requeue_after is None
