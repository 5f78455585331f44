"""From one revision to the next without losing a request: answer, 1 : 1,000,000, 0, drain, delete."""

import pytest

from modelyard.core.names import predictor, revision_name
from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_draining_world, a_serving_world, a_switching_world
from tests.support.worlds.world import World

ROUTES = [("HTTPRoute", "digits"), ("HTTPRoute", "digits--path"), ("GRPCRoute", "digits")]


def services(world: World) -> tuple[str, str]:
    return predictor(world.revision("1").name), predictor(world.revision("2").name)


def test_the_next_revision_starts_beside_the_one_that_serves() -> None:
    world = a_serving_world()
    world.mute.add(world.build_of("2"))
    world.ask(version="2")

    world.settle()

    old, new = services(world)
    assert (world.revision("1").slot, world.revision("2").slot) == ("a", "b")
    assert world.weights() == [(old, 100), (new, 0)]
    assert world.condition("Serving") == ("True", "Answering")
    assert world.condition("Reconciling") == ("True", "WarmupFailed")
    assert world.condition("Ready") == ("True", "Serving")
    assert "(version 1) holds the traffic. The warm-up request was not answered" in world.message("Ready")


@pytest.mark.parametrize(("kind", "name"), ROUTES)
def test_both_revisions_can_be_asked_for_by_header(kind: str, name: str) -> None:
    world = a_switching_world()

    route = world.object(kind, name)

    assert route is not None
    pinned = [
        (rule["matches"][0]["headers"][0]["value"], [backend["name"] for backend in rule["backendRefs"]])
        for rule in route["spec"]["rules"][1:]
    ]
    assert pinned == [
        (world.revision(version).name, [predictor(world.revision(version).name)]) for version in ("1", "2")
    ]


@pytest.mark.parametrize(("kind", "name"), ROUTES)
def test_the_answer_of_the_new_one_leaves_the_old_one_a_millionth(kind: str, name: str) -> None:
    world = a_switching_world()

    old, new = services(world)
    assert world.weights(kind, name) == [(old, 1), (new, 1_000_000)]
    assert (world.revision("1").weight, world.revision("2").weight) == (0, 100)


def test_the_millionth_goes_only_after_the_gateway_carried_it_for_the_settling_time() -> None:
    world = a_switching_world()
    world.gateway.asleep = True
    world.sleep(60)
    world.look()
    assert world.stage_of("1") == "Leaving"

    world.gateway.asleep = False
    world.step()
    assert world.look().requeue_after == pytest.approx(2, abs=0.01)
    world.sleep(1.9)
    world.look()
    assert world.stage_of("1") == "Leaving"

    world.sleep(0.2)
    world.look()
    old, new = services(world)
    assert world.stage_of("1") == "Draining"
    assert world.weights() == [(old, 0), (new, 100)]


def test_nothing_is_asked_of_the_clock_while_the_gateway_is_waited_for() -> None:
    world = a_switching_world()
    world.gateway.asleep = True
    world.sleep(60)

    assert world.look().requeue_after is None


def test_requests_in_flight_get_the_draining_time_however_late_the_gateway_was() -> None:
    world = a_draining_world()
    world.gateway.asleep = True
    world.sleep(300)
    world.look()
    world.gateway.asleep = False
    world.step()

    plan = world.look()

    assert world.stage_of("1") == "Draining"
    assert plan.requeue_after == pytest.approx(30, abs=0.01)


def test_a_drained_revision_leaves_the_routes_first_and_is_deleted_when_none_names_it() -> None:
    world = a_draining_world()
    world.step()
    world.look()
    old = world.revision("1").name
    world.sleep(31)

    plan = world.look()
    assert world.stage_of("1") is None
    assert plan.delete == ()
    assert all(predictor(old) != name for name, _ in world.weights())
    assert world.decide().delete == ()

    world.step()
    assert world.look().delete == (Ref("InferenceService", "demo", old),)
    world.look()
    assert world.decide().delete == ()


def test_at_the_end_only_the_new_revision_is_there_in_its_own_slot() -> None:
    world = a_serving_world()
    world.ask(version="2")

    world.settle()

    [only] = world.status.revisions
    assert (only.version, only.slot, only.stage, world.status.version) == ("2", "b", "Serving", "2")
    assert world.names("InferenceService") == [only.name]
    assert world.weights() == [(predictor(only.name), 0), (predictor(only.name), 100)]


def test_ready_stays_while_the_new_revision_comes_and_the_old_one_goes() -> None:
    world = a_serving_world()
    world.said.clear()
    world.ask(version="2")

    world.settle()

    assert "Serving" not in [reason for _, reason in world.said]
    assert world.condition("Ready") == ("True", "Serving")


def test_a_third_wish_waits_for_a_slot() -> None:
    world = a_switching_world()
    world.ask(version="2", serving={"resources": {"requests": {"cpu": "2"}}})
    third = world.decide()

    world.look()

    assert all(desired["kind"] != "InferenceService" for desired in third.apply)
    assert world.condition("Reconciling") == ("True", "WaitingForSlot")
    world.settle()
    assert world.revision("2").resources == {"requests": {"cpu": "2"}}
    assert world.condition("Ready") == ("True", "Serving")


def test_a_wish_withdrawn_before_it_answered_is_dropped_and_the_traffic_never_moves() -> None:
    world = a_serving_world()
    world.mute.add(world.build_of("2"))
    world.ask(version="2")
    world.settle()
    old, new = services(world)

    world.ask(version="1")
    world.look()
    assert world.stage_of("2") == "Dropped"
    assert world.condition("Ready") == ("True", "Serving")
    assert world.weights() == [(old, 100), (new, 0)]

    world.settle()
    assert world.names("InferenceService") == [world.revision("1").name]
    assert world.weights() == [(old, 100), (old, 0)]


def test_a_first_revision_no_longer_wished_makes_room_for_the_next() -> None:
    world = a_serving_world()
    world.mute.update({world.build_of("2")})
    world.ask(version="2")
    world.settle()

    world.ask(version="2", serving={"resources": {"limits": {"memory": "1Gi"}}})
    world.mute.clear()
    world.settle()

    assert world.revision("2").resources == {"limits": {"memory": "1Gi"}}
    assert len(world.names("InferenceService")) == 1


def test_a_dropped_revision_wished_for_again_starts_again_in_its_slot() -> None:
    world = a_serving_world()
    world.mute.add(world.build_of("2"))
    world.ask(version="2")
    world.settle()
    world.ask(version="1")
    world.look()

    world.ask(version="2")
    world.look()

    assert (world.stage_of("2"), world.revision("2").slot) == ("Starting", "b")
    assert world.condition("Reconciling")[0] == "True"


def test_the_old_revision_wished_back_while_it_leaves_takes_the_traffic_at_once() -> None:
    world = a_switching_world()
    old, new = services(world)

    world.ask(version="1")
    world.look()

    assert (world.stage_of("1"), world.stage_of("2")) == ("Serving", "Leaving")
    assert world.weights() == [(old, 1_000_000), (new, 1)]
    world.settle()
    assert world.names("InferenceService") == [world.revision("1").name]


def test_the_old_revision_wished_back_while_it_drains_is_let_in_again_first() -> None:
    world = a_draining_world()
    old, new = services(world)

    world.ask(version="1")
    world.look()

    assert (world.stage_of("1"), world.stage_of("2")) == ("Joining", "Serving")
    assert world.weights() == [(old, 1), (new, 1_000_000)]
    world.run_until(lambda: world.stage_of("1") == "Serving")
    assert world.weights() == [(old, 1_000_000), (new, 1)]
    world.settle()
    assert world.names("InferenceService") == [world.revision("1").name]


def test_after_a_restart_the_revision_wished_back_must_answer_again() -> None:
    world = a_draining_world()
    world.mute.add(world.build_of("1"))
    world.restart()
    world.step()

    world.ask(version="1")
    world.look()

    assert world.asked[-1].revision == world.revision("1").name
    assert world.stage_of("2") == "Serving"
    assert world.condition("Reconciling")[0] == "True"


def test_a_revision_somebody_deletes_takes_no_traffic() -> None:
    world = a_draining_world()
    world.lose(Ref("InferenceService", "demo", world.revision("1").name))
    world.ask(version="1")

    world.look()

    assert world.stage_of("2") == "Serving"
    assert world.decide().warmups == ()


def test_an_alias_that_moves_is_a_new_wish() -> None:
    world = a_serving_world(source={"name": "digits", "alias": "champion"})
    world.aliases["champion"] = "2"

    world.settle()

    assert world.status.version == "2"


@pytest.mark.parametrize("writes", range(12))
def test_a_crash_after_any_write_of_the_switch_is_harmless(writes: int) -> None:
    world = a_serving_world()
    world.ask(version="2")

    for _ in range(12):
        world.look(crash_after=writes)
        world.step()
        world.look()
        world.step()
        world.sleep(1)
    world.settle()

    assert world.status.version == "2"
    assert len(world.names("InferenceService")) == 1


def test_routes_never_run_ahead_of_the_status() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(
        lambda: any(probe.answered for name, probe in world.probes.items() if name != world.status.revision)
    )

    world.look(crash_after=1)

    assert world.stage_of("2") == "Joining"
    assert world.weights()[1] == (predictor(world.revision("2").name), 0)


def test_a_new_revision_is_known_to_the_gateway_before_it_gets_its_share() -> None:
    world = a_serving_world()
    world.ask(version="2")

    world.run_until(lambda: world.stage_of("2") == "Joining")

    assert world.weights() == [(services(world)[0], 1_000_000), (services(world)[1], 1)]
    assert world.condition("Reconciling") == ("True", "Joining")
    world.run_until(lambda: world.stage_of("2") == "Serving")
    assert world.weights() == [(services(world)[0], 1), (services(world)[1], 1_000_000)]


def test_a_wish_withdrawn_while_its_revision_joins_lets_it_leave_again() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("2") == "Joining")

    world.ask(version="1")
    world.look()

    assert (world.stage_of("1"), world.stage_of("2")) == ("Serving", "Leaving")
    world.settle()
    assert [revision.version for revision in world.status.revisions] == ["1"]


def test_a_revision_wanted_again_at_the_moment_its_drain_ends_takes_the_traffic_back() -> None:
    world = a_draining_world()
    world.sleep(31)
    world.ask(version="1")

    world.settle()

    assert world.condition("Ready") == ("True", "Serving")
    assert [revision.version for revision in world.status.revisions] == ["1"]


def test_the_same_resources_in_other_words_are_the_same_revision() -> None:
    world = a_serving_world(serving={"resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}})
    before = world.names("InferenceService")

    world.ask(serving={"resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "1024Mi"}}})
    world.settle()

    assert world.names("InferenceService") == before
    assert world.condition("Ready") == ("True", "Serving")


def test_a_revision_that_an_earlier_release_named_by_other_words_is_kept() -> None:
    world = a_serving_world(serving={"resources": {"requests": {"cpu": "0.5"}}})
    before = world.names("InferenceService")
    world.model["status"]["revisions"][0]["resources"] = {"requests": {"cpu": "1000000u", "memory": "128"}}

    world.ask(serving={"resources": {"requests": {"cpu": "1", "memory": "0.128k"}}})
    world.settle()

    assert world.names("InferenceService") == before


def test_stored_resources_that_are_none_are_other_resources() -> None:
    world = a_serving_world(serving={"resources": {"requests": {"cpu": "1"}}})
    before = world.names("InferenceService")
    world.model["status"]["revisions"][0]["resources"] = {"requests": {"cpu": "much"}}

    world.ask(serving={"resources": {"requests": {"cpu": "2"}}})
    world.settle()

    assert world.names("InferenceService") != before


def test_revisions_of_what_people_write_keep_the_names_they_had() -> None:
    world = a_serving_world(serving={"resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}})
    revision = world.revision("1")
    resources = {"requests": {"cpu": "500m"}, "limits": {"memory": "1Gi"}}

    named = revision_name("digits", "demo", digest=revision.digest, runtime=revision.runtime, resources=resources)
    assert (revision.name, revision.resources) == (named, resources)
