"""Autoscalers of others are known by the Model or the revision that they point at."""

from typing import Any

import pytest

from modelyard.operator.cache.objects import Key
from modelyard.operator.cache.rival_autoscalers import RivalAutoscalers
from tests.support.worlds.builders import a_model

REVISION = {
    "name": "digits-0123456789", "slot": "a", "digest": "sha256:1", "version": "1", "runtime": "r", "stage": "Serving"
}  # fmt: skip
MODEL = a_model(status={"revisions": [REVISION]})
DIGITS = Key("demo", "digits")


class Scene:
    """What is known, and who was woken."""

    def __init__(self) -> None:
        self.woken: list[Key | str] = []
        self.rivals = RivalAutoscalers(self.woken.append, self.woken.append)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def an_autoscaler(name: str, kind: str, target: str, namespace: str = "demo") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    return {"metadata": metadata, "spec": {"scaleTargetRef": {"kind": kind, "name": target}}}


@pytest.mark.parametrize(
    ("kind", "target", "woken"),
    [("Model", "digits", DIGITS), ("Deployment", "digits-0123456789-predictor", "demo")],
)
def test_one_that_points_at_a_model_or_its_revision_is_told(scene: Scene, kind: str, target: str, woken: Any) -> None:
    scene.rivals.take_in(None, an_autoscaler("mine", kind, target))
    scene.rivals.take_in("MODIFIED", an_autoscaler("mine", kind, target))

    assert scene.rivals.of(MODEL) == "HorizontalPodAutoscaler mine"
    assert scene.woken == [woken]


@pytest.mark.parametrize(
    "thing",
    [
        an_autoscaler("other", "Model", "digits", "elsewhere"),
        an_autoscaler("other", "Model", "digits-2"),
        an_autoscaler("other", "Deployment", "digits"),
        an_autoscaler("other", "StatefulSet", "digits-0123456789-predictor"),
    ],
    ids=["of another namespace", "of another Model", "of another Deployment", "of something else"],
)
def test_one_that_points_elsewhere_is_none_of_its_business(scene: Scene, thing: dict[str, Any]) -> None:
    scene.rivals.take_in("ADDED", thing)

    assert scene.rivals.of(MODEL) == ""


def test_one_that_goes_or_points_elsewhere_is_told(scene: Scene) -> None:
    scene.rivals.take_in("ADDED", an_autoscaler("b", "Model", "digits"))
    scene.rivals.take_in("ADDED", an_autoscaler("a", "Model", "digits"))
    first = scene.rivals.of(MODEL)
    scene.rivals.take_in("MODIFIED", an_autoscaler("a", "Model", "digits-2"))
    second = scene.rivals.of(MODEL)
    scene.rivals.take_in("DELETED", an_autoscaler("b", "Model", "digits"))

    assert (first, second, scene.rivals.of(MODEL)) == (
        "HorizontalPodAutoscaler a",
        "HorizontalPodAutoscaler b",
        "",
    )
    assert scene.woken.count(DIGITS) == 4


def test_one_that_went_while_nobody_watched_is_gone(scene: Scene) -> None:
    scene.rivals.take_in("ADDED", an_autoscaler("mine", "Model", "digits"))
    scene.rivals.listing()
    scene.rivals.listed([])

    assert scene.rivals.of(MODEL) == ""
    assert scene.woken == [DIGITS, DIGITS]
