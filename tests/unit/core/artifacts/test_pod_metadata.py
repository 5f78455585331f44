"""Labels and annotations of a Model reach its pods by the platform's lists, and no change of them restarts a pod."""

import pytest
from pydantic import ValidationError

from modelyard.core.artifacts.pod_metadata import pod_metadata
from modelyard.core.names import predictor
from modelyard.settings import PropagateSettings
from tests.support.worlds.builders import a_built_world
from tests.support.worlds.world import World


def allowing(*patterns: str) -> PropagateSettings:
    return PropagateSettings(labels=list(patterns), annotations=list(patterns))


def chosen(marks: dict[str, str], *patterns: str) -> dict[str, str]:
    """What pods get of these marks; labels and annotations are chosen alike."""
    made = pod_metadata({"labels": marks, "annotations": marks}, allowing(*patterns))
    assert made.labels == made.annotations
    return made.labels or {}


def a_marked_world(**labels: str) -> World:
    world = a_built_world()
    world.model["metadata"]["labels"] = labels
    world.settle()
    return world


def labels_of_pods(world: World, version: str = "1") -> list[dict[str, str]]:
    mine = predictor(world.revision(version).name)
    return [pod["metadata"]["labels"] for ref, pod in world.api.of_kind("Pod") if ref.name.startswith(mine)]


def test_what_is_on_the_list_is_taken_and_nothing_else() -> None:
    marks = {"team": "vision", "example.com/unit": "7", "example.org/unit": "8", "teams": "no"}

    assert chosen(marks, "team", "example.com/*") == {"example.com/unit": "7", "team": "vision"}
    assert chosen(marks) == {}


def test_a_model_without_labels_gives_none() -> None:
    assert pod_metadata({}, PropagateSettings()) == (None, None)


@pytest.mark.parametrize(
    "key",
    [
        "modelyard.dev/model", "serving.kserve.io/inferenceservice", "autoscaling.knative.dev/class", "app",
        "component", "app.kubernetes.io/managed-by", "kubectl.kubernetes.io/last-applied-configuration",
        "vault/api-key", "db-password", "GITHUB_TOKEN", "aws.access.key", "my-secret",
    ],
)  # fmt: skip
def test_what_steers_pods_or_is_secret_stays_behind_whatever_the_list_says(key: str) -> None:
    assert chosen({key: "x", "team": "vision"}, f"{key[:1]}*", key, "team") == {"team": "vision"}


def test_what_only_looks_like_ours_is_taken() -> None:
    marks = {"not-modelyard.dev/a": "1", "kueue.x-k8s.io/queue-name": "gpu", "app.kubernetes.io/part-of": "shop"}

    assert chosen(marks, "not-*", "kueue.x-k8s.io/*", "app.kubernetes.io/*") == dict(sorted(marks.items()))


def test_long_texts_and_more_than_a_few_are_left_out() -> None:
    marks = {f"a{number:03}": "x" for number in range(100)}

    assert list(chosen(marks, "a*")) == [f"a{number:03}" for number in range(32)]
    assert chosen({"note": "x" * 1025, "notes": "x" * 1024}, "note*") == {"notes": "x" * 1024}


@pytest.mark.parametrize("pattern", ["*", "", "a b", "a*b", "x" * 318])
def test_a_pattern_that_names_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError):
        PropagateSettings(labels=[pattern])


def test_the_pods_of_a_model_carry_its_team() -> None:
    world = a_marked_world(team="vision", nobody="no")

    [labels] = labels_of_pods(world)

    assert (labels["team"], labels["modelyard.dev/model"]) == ("vision", "digits")
    assert "nobody" not in labels


def test_a_changed_label_restarts_nothing_and_is_the_next_revisions() -> None:
    world = a_marked_world(team="vision")
    before = world.status.revision
    world.model["metadata"]["labels"] = {"team": "sight"}

    assert world.settle().empty
    assert (world.status.revision, world.kserve.restarts) == (before, {})
    assert [labels["team"] for labels in labels_of_pods(world)] == ["vision"]

    world.ask(version="2")
    world.settle()
    assert [labels["team"] for labels in labels_of_pods(world, "2")] == ["sight"]


def test_an_inference_service_edited_by_hand_is_put_right_after_a_label_changed() -> None:
    world = a_marked_world(team="vision")
    world.model["metadata"]["labels"] = {"team": "sight"}
    [(ref, _)] = world.api.of_kind("InferenceService")
    world.edit(ref, lambda thing: thing["spec"]["predictor"]["model"].update(storageUri="s3://elsewhere/"))

    assert [desired["kind"] for desired in world.decide().apply] == ["InferenceService"]


def test_another_list_restarts_nothing() -> None:
    world = a_marked_world(team="vision")
    world.settings = world.settings.model_copy(update={"propagate": PropagateSettings(labels=[])})

    assert world.settle().empty
    assert world.kserve.restarts == {}
