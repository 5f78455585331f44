"""What refuses pods is said in the cluster's own words, and is no verdict on a candidate."""

import pytest

from modelyard.api.rollout_status import Phase
from modelyard.core.names import predictor
from modelyard.core.revisions.refused_pods import refused_pods
from modelyard.core.snapshot import Ref
from tests.support.worlds.builders import a_built_world, a_model, a_new_world, settings
from tests.support.worlds.rollouts import a_rollout_world, live_until_phase, state
from tests.support.worlds.world import World

QUOTA = "exceeded quota: team, requested: requests.memory=512Mi, used: requests.memory=256Mi, limited: 300Mi"
SAID = f'pods "digits-0123456789-predictor-7d9f-abcde" is forbidden: {QUOTA}'
LIMITS = "maximum memory usage per Container is 512Mi, but limit is 2Gi"
RESTRICTED = (
    'violates PodSecurity "restricted:latest": seccompProfile (pod must set securityContext.seccompProfile.type)'
)
INVALID = (
    'Deployment.apps "digits" is invalid: requests: Invalid value: "1Gi": must be less than or equal to memory limit'
)


@pytest.mark.parametrize("cause", [QUOTA, LIMITS, RESTRICTED])
def test_whatever_refuses_pods_is_said_at_once_and_heals(cause: str) -> None:
    world = a_built_world()
    world.look()
    name = world.revision("1").name
    world.kserve.refused[name] = f'pods "{name}-predictor-7d9f-abcde" is forbidden: {cause}'
    world.step()
    world.look()

    assert world.condition("Ready") == ("False", "PodsRefused")
    assert world.condition("Stalled")[0] == "False"
    assert cause in world.message("Ready")
    assert "abcde" not in world.message("Ready")
    world.sleep(3600)
    world.settle()
    assert world.condition("Ready") == ("False", "PodsRefused")
    world.kserve.refused.clear()
    world.settle()
    assert world.condition("Ready") == ("True", "Serving")


def test_a_candidate_whose_pods_are_refused_waits_without_a_verdict() -> None:
    world = a_rollout_world()
    live_until_phase(world, Phase.STARTING)
    world.look()
    candidate = world.revision("2").name
    world.kserve.refused[candidate] = SAID
    lose_pods(world, candidate)
    for _ in range(30):
        world.step()
        world.look()
        world.sleep(60)

    assert state(world).phase is Phase.STARTING
    assert world.condition("Ready") == ("True", "Serving")
    assert QUOTA in world.message("Ready")
    assert QUOTA in world.message("Reconciling")
    assert world.stage_of("1") == "Serving"
    world.kserve.refused.clear()
    live_until_phase(world, Phase.ADVANCING)


def lose_pods(world: World, revision: str) -> None:
    for ref in [ref for ref, _ in world.api.of_kind("Pod") if ref.name.startswith(revision)]:
        world.api.remove(ref)


def test_a_deployment_that_is_refused_as_a_whole_is_told_by_kserve() -> None:
    conditions = [
        {"type": "Ready", "status": "Unknown"},
        {"type": "PredictorReady", "status": "False", "message": INVALID},
    ]
    failure = refused_pods({"status": {"conditions": conditions}}, None)

    assert failure is not None
    assert INVALID in failure.message
    assert failure.retry


def test_a_server_that_merely_starts_is_refused_nothing() -> None:
    available = {"type": "Available", "status": "False", "message": "Deployment does not have minimum availability."}
    served = {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "not yet"}]}}

    assert refused_pods(served, {"status": {"conditions": [available]}}) is None
    assert refused_pods({}, None) is None
    assert refused_pods(None, None) is None


@pytest.mark.parametrize("name", ["digits", "sentiment-classifier-for-support-tickets", "a-b"])
@pytest.mark.parametrize("namespace", ["d", "case-name", "machine-learning-production-europe-west", "n" * 40])
def test_every_name_fits_into_kserves_host_label(name: str, namespace: str) -> None:
    world = World(settings(), a_model(name, metadata={"namespace": namespace}))
    world.build_everything()
    world.look()

    revision = world.revision("1").name
    assert len(f"{predictor(revision)}-{namespace}") <= 63
    assert revision.startswith(name[:1])
    assert "--" not in revision
    assert world.object("InferenceService", revision) is not None
    if len(name) + len(namespace) <= 41:
        assert revision.startswith(f"{name}-")


def test_two_models_that_are_shortened_alike_have_revisions_of_their_own() -> None:
    names = set()
    for name in ("digits-for-shops", "digits-for-banks"):
        world = World(settings(), a_model(name, metadata={"namespace": "n" * 38}))
        world.build_everything()
        world.look()
        names.add(world.revision("1").name)

    assert len(names) == 2


def test_a_namespace_that_is_too_long_is_said_before_anything_is_built() -> None:
    world = World(settings(), a_model(metadata={"namespace": "n" * 41}))
    world.settle()

    assert world.condition("Ready") == ("False", "NamespaceTooLong")
    assert world.condition("Stalled")[0] == "True"
    assert "40 characters" in world.message("Ready")
    assert not world.api.objects


def test_a_stable_whose_pods_are_refused_after_an_eviction_says_so() -> None:
    world = a_new_world()
    world.build_everything()
    world.settle()
    name = world.revision("1").name
    world.kserve.refused[name] = SAID
    lose_pods(world, name)
    world.step()
    world.look()

    assert world.api.get("Deployment", *Ref("Deployment", "demo", predictor(name))[1:]) is not None
    assert world.condition("Serving") == ("False", "PodsRefused")
