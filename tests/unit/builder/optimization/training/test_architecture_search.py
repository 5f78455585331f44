"""Which architectures are drawn, and which is taken: the fastest first, until one learns well enough."""

from pathlib import Path

import pytest

from modelyard.builder.optimization.pass_api import ModelArtifact, Precision
from modelyard.builder.optimization.search.recipes import from_trained, recipes
from modelyard.builder.optimization.training.architecture_search import drawn, taken
from modelyard.builder.optimization.training.recipe import ArchitectureSearch


def test_a_small_space_is_tried_whole_and_in_order() -> None:
    assert drawn(ArchitectureSearch(width=(8, 16), kernel=(3, 5), trials=4), seed=1) == [
        {"width": 8, "kernel": 3}, {"width": 8, "kernel": 5}, {"width": 16, "kernel": 3}, {"width": 16, "kernel": 5},
    ]  # fmt: skip


def test_of_a_large_space_the_seed_draws_so_many_each_once() -> None:
    search = ArchitectureSearch(width=tuple(range(1, 17)), depth=tuple(range(1, 17)), trials=20)

    found = [drawn(search, seed) for seed in (1, 1, 2)]

    assert found[0] == found[1]
    assert found[0] != found[2]
    assert [len({tuple(one.items()) for one in several}) for several in found] == [20, 20, 20]


@pytest.mark.parametrize(
    ("speedups", "scores", "place", "trained"),
    [
        ({0: 2.0, 1: 4.0, 2: 3.0}, {0: 0.99, 1: 0.99, 2: 0.99}, 1, [1]),
        ({0: 2.0, 1: 4.0, 2: 3.0}, {0: 0.99, 1: 0.50, 2: 0.98}, 2, [1, 2]),
        ({0: 2.0, 1: 4.0}, {0: 0.97, 1: 0.96}, None, [1, 0]),
        ({0: 0.9, 1: 1.0}, {0: 0.99, 1: 0.99}, None, []),
        ({}, {}, None, []),
    ],
    ids=["the fastest", "the fastest that learns", "none learns", "none is faster", "none runs"],
)
def test_the_fastest_that_learns_is_taken_and_nothing_slower_is_trained(
    speedups: dict[int, float], scores: dict[int, float], place: int | None, trained: list[int]
) -> None:
    asked: list[int] = []

    def scored(one: int) -> tuple[float, float]:
        asked.append(one)
        return scores[one], 1.0

    assert taken(speedups, scored, lambda _: None) == (place, len(trained))
    assert asked == trained


def test_errors_are_scores_too() -> None:
    """The negative mean square error: 2 % of the teacher's own is the room."""
    scores = {0: -0.1021, 1: -0.1019}

    assert taken({0: 3.0, 1: 2.0}, lambda place: (scores[place], -0.1), lambda _: None) == (1, 2)


def test_chains_go_on_from_what_was_trained_the_last_of_it_first() -> None:
    starts = {
        "pruned": ModelArtifact(Path("pruned/model.onnx"), "onnx", Precision.FP32, ("torch-prune",)),
        "taught": ModelArtifact(Path("taught/model.onnx"), "onnx", Precision.FP32, ("torch-prune", "torch-distill")),
        "qat": ModelArtifact(
            Path("qat/model.onnx"), "onnx", Precision.INT8, ("torch-prune", "torch-distill", "torch-qat")
        ),
    }

    found = from_trained(starts)((Precision.FP32, Precision.INT8), False)
    names = [recipe.name for recipe in found]

    assert names[:3] == ["qat", "qat-openvino", "taught"]
    assert {"taught-openvino", "taught-openvino-int8", "taught-int8-static", "taught-int8-nncf"} < set(names)
    assert [name for name in names if name.startswith("pruned")] == ["pruned"]  # chains go on from the better one
    assert len(set(names)) == len(names)
    assert [recipe for recipe in found if not recipe.start] == list(recipes((Precision.FP32, Precision.INT8), False))
    assert all(recipe.start in ("", *starts) for recipe in found)


def test_a_precision_nobody_asked_for_is_no_starting_point() -> None:
    start = ModelArtifact(Path("qat/model.onnx"), "onnx", Precision.INT8, ("torch-qat",))

    assert all(not recipe.start for recipe in from_trained({"qat": start})((Precision.FP32,), False))
