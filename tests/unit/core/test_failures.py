"""What goes wrong becomes a condition with cause and remedy, and never takes away what serves."""

import pytest

from modelyard.core.names import REVISION_HEADER, predictor
from modelyard.core.snapshot import Credentials, Probe, Ref
from tests.support.objects.faults import TRUNCATED_MODEL_LOG
from tests.support.worlds.builders import a_built_world, a_serving_world
from tests.support.worlds.world import World


def pod_of(world: World, version: str) -> str:
    return next(name for name in world.names("Pod") if name.startswith(world.revision(version).name))


def test_an_unknown_entry_stalls_a_new_model_and_makes_nothing() -> None:
    world = a_built_world(source={"name": "digits", "version": "9"})

    world.settle()

    assert world.condition("EntryResolved") == ("False", "UnknownEntry")
    assert world.condition("Built") == ("Unknown", "EntryUnresolved")
    assert world.condition("Stalled") == ("True", "UnknownEntry")
    assert world.message("Ready") == "digits:9 is not in the registry; push it or correct spec.source."
    assert ("Warning", "UnknownEntry") in world.said
    assert world.api.objects == {}


@pytest.mark.parametrize("version", ["9", "3"])
def test_a_bad_wish_never_disturbs_what_serves(version: str) -> None:
    world = a_serving_world()
    before = (world.status.revisions, world.weights())

    world.ask(version=version)
    world.settle()

    assert (world.status.revisions, world.weights()) == before
    assert world.condition("Stalled")[0] == "True"
    assert world.condition("Serving") == ("True", "Answering")
    assert (world.status.version, world.status.traffic) == ("1", "100%")


def test_an_entry_unknown_in_mid_start_leaves_the_started_revision_as_it_is() -> None:
    world = a_built_world()
    world.look()
    world.ask(version="9")

    world.settle()

    assert world.stage_of("1") == "Starting"
    assert world.condition("Serving") == ("False", "Starting")


def test_a_registry_that_is_away_is_waited_for() -> None:
    world = a_built_world()
    world.registry_away = True

    world.settle()

    assert world.condition("EntryResolved") == ("Unknown", "Unreachable")
    assert world.condition("Stalled")[0] == "False"
    assert world.condition("Reconciling")[0] == "True"


@pytest.mark.parametrize("source", [{"name": "digits", "version": "1"}, {"name": "digits", "alias": "champion"}])
def test_what_serves_stays_ready_while_registry_and_store_are_away(source: dict[str, str]) -> None:
    world = a_serving_world(source=source)
    world.registry_away = world.store_away = True

    assert world.settle().empty
    assert world.condition("Ready") == ("True", "Serving")


def test_children_are_repaired_while_registry_and_store_are_away() -> None:
    world = a_serving_world()
    world.registry_away = world.store_away = True
    world.lose(Ref("HTTPRoute", "demo", "digits"))

    world.settle()

    assert "digits" in world.names("HTTPRoute")


def test_the_last_entry_does_not_pass_for_the_next_one_while_the_registry_is_away() -> None:
    world = a_serving_world()
    world.registry_away = True
    world.ask(version="2")

    world.settle()

    assert world.condition("EntryResolved") == ("Unknown", "Unreachable")
    assert world.condition("Reconciling") == ("True", "Unreachable")
    assert world.condition("Ready") == ("True", "Serving")
    assert world.message("EntryResolved") in world.message("Ready")
    assert world.status.entry is None
    assert world.status.version == "1"


def test_an_alias_that_is_new_to_the_spec_is_not_guessed_while_the_registry_is_away() -> None:
    world = a_serving_world()
    world.registry_away = True
    world.ask(alias="champion")

    world.settle()

    assert world.condition("EntryResolved") == ("Unknown", "Unreachable")


def test_an_entry_that_was_refused_does_not_become_good_because_the_registry_goes_away() -> None:
    world = a_serving_world()
    world.ask(version="9")
    world.settle()
    world.registry_away = True

    world.settle()

    assert world.condition("Reconciling") == ("True", "Unreachable")
    assert world.condition("EntryResolved")[0] == "Unknown"


def test_replicas_can_be_changed_while_the_registry_is_away() -> None:
    world = a_serving_world()
    world.registry_away = True

    world.ask(serving={"replicas": 2})
    world.settle()

    assert world.condition("Ready") == ("True", "Serving")
    assert world.object("Deployment", predictor(world.status.revision))["spec"]["replicas"] == 2  # type: ignore[index]


def test_a_candidate_that_crashes_stalls_with_the_cause_from_its_log() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.kserve.faults[world.revision("2").name] = "crash"
    world.settle()
    world.logs[pod_of(world, "2")] = TRUNCATED_MODEL_LOG

    world.settle()

    assert world.condition("Stalled") == ("True", "ServerCrashed")
    assert "INVALID_PROTOBUF" in world.message("Ready")
    assert world.condition("Serving") == ("True", "Answering")
    assert world.weights()[0] == (predictor(world.revision("1").name), 100)


def test_a_first_revision_without_memory_says_what_to_raise() -> None:
    world = a_built_world()
    world.look()
    world.kserve.faults[world.revision("1").name] = "memory"

    world.settle()

    assert world.condition("Serving") == ("False", "OutOfMemory")
    assert "spec.serving.resources.limits.memory" in world.message("Ready")


def test_a_cluster_without_room_is_not_a_dead_end() -> None:
    world = a_built_world()
    world.look()
    world.kserve.faults[world.revision("1").name] = "nodes"

    world.settle()
    assert world.condition("Ready") == ("False", "Unschedulable")
    assert world.condition("Stalled")[0] == "False"

    world.kserve.faults.clear()
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def test_a_serving_revision_that_lost_all_its_pods_is_not_ready() -> None:
    world = a_serving_world()
    world.kserve.faults[world.status.revision] = "slow"

    world.settle()

    assert world.condition("Ready") == ("False", "NoReplicaReady")
    assert world.condition("Serving") == ("False", "NoReplicaReady")
    assert world.condition("Reconciling")[0] == "True"
    assert not world.revision("1").ready


def test_a_serving_revision_that_crashes_says_why_and_comes_back() -> None:
    world = a_serving_world()
    world.kserve.faults[world.status.revision] = "memory"

    world.settle()
    assert world.condition("Ready") == ("False", "OutOfMemory")
    assert world.condition("Stalled")[0] == "True"

    world.kserve.faults.clear()
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")
    assert world.revision("1").ready


def test_a_revision_that_fails_its_users_does_not_serve_however_well_its_pods_are() -> None:
    world = a_serving_world()
    world.users.rate = 5.0
    world.users.bad["1"] = 1.0
    world.sleep(30)

    world.settle()
    assert world.condition("Serving") == ("False", "RequestsFail")
    assert world.condition("Ready") == ("False", "RequestsFail")
    assert "150 of 150 requests of the last minute" in world.message("Serving")
    assert [kind for kind, reason in world.said if reason == "RequestsFail"] == ["Warning"]

    world.sleep(30)
    assert world.settle().empty
    assert "150 of 150 requests" in world.message("Serving"), "the sentence of the beginning stays"

    world.users.bad.clear()
    world.sleep(70)
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def test_a_few_failures_are_within_the_promise() -> None:
    world = a_serving_world()
    world.users.rate = 50.0
    world.users.bad["1"] = 0.1
    world.sleep(60)

    assert world.settle().empty


def test_an_outage_is_said_while_a_candidate_starts() -> None:
    world = a_serving_world()
    world.kserve.faults[world.status.revision] = "slow"
    world.mute.add(world.build_of("2"))
    world.ask(version="2")

    world.settle()

    assert world.condition("Serving") == ("False", "NoReplicaReady")
    assert world.condition("Ready") == ("False", "WarmupFailed")


def test_the_serving_revision_is_not_asked_to_warm_up_after_a_restart() -> None:
    world = a_serving_world()
    world.restart()

    assert world.decide().empty


def test_a_wrong_answer_remembered_of_what_serves_is_no_trouble_while_it_is_up() -> None:
    world = a_serving_world()
    world.probes[world.status.revision] = Probe(False, "late")

    assert world.decide().empty


def test_a_gateway_that_refuses_a_route_is_quoted() -> None:
    world = a_serving_world()
    route = world.api.objects[Ref("HTTPRoute", "demo", "digits")]
    refused = {"type": "Accepted", "status": "False", "reason": "NotAllowedByListeners", "message": "Not this host."}
    route["status"]["parents"][0]["conditions"][0] = {**refused, "observedGeneration": 1}

    world.look()

    assert world.condition("Routed") == ("False", "NotAccepted")
    assert world.message("Routed") == "HTTPRoute digits: the gateway says NotAllowedByListeners: Not this host."
    assert world.condition("Ready") == ("False", "NotAccepted")
    assert world.condition("Stalled")[0] == "False"


def test_a_lost_service_of_the_serving_revision_never_gives_its_traffic_to_the_unproven_one() -> None:
    world = a_serving_world()
    world.mute.add(world.build_of("2"))
    world.ask(version="2")
    world.settle()
    world.lose(Ref("Service", "demo", predictor(world.revision("1").name)))

    world.look()

    assert [weight for _, weight in world.weights()] == [0, 0]
    world.settle()
    assert world.weights()[0] == (predictor(world.revision("1").name), 100)


def test_no_secret_is_ever_printed() -> None:
    assert "hush" not in repr(Credentials("http://store", "bucket", "region", "hush", "hush"))


def test_the_header_names_the_revision_that_answers() -> None:
    world = a_serving_world()
    route = world.object("GRPCRoute", "digits")
    assert route is not None

    [modifier] = route["spec"]["rules"][0]["backendRefs"][0]["filters"]

    headers = [{"name": REVISION_HEADER, "value": world.status.revision}]
    assert modifier["responseHeaderModifier"]["set"] == headers


def test_a_server_that_hangs_while_it_loads_is_told_after_its_time_and_still_welcome_later() -> None:
    world = a_serving_world()
    world.ask(version="2")
    world.run_until(lambda: world.stage_of("2") == "Starting")
    world.kserve.faults[world.revision("2").name] = "slow"

    world.settle()

    assert world.condition("Stalled") == ("True", "StartTimedOut")
    assert "limits.memory" in world.message("Ready")
    assert world.condition("Serving") == ("True", "Answering")

    world.kserve.faults.clear()
    world.settle()

    assert world.condition("Ready") == ("True", "Serving")
    assert world.status.version == "2"
