"""Recipes: chains of passes that exist, with parameters they have, for the precisions that were asked for."""

import subprocess
import sys

import pytest

from modelyard.builder.optimization.pass_api import Precision, Recipe
from modelyard.builder.optimization.passes import PASSES
from modelyard.builder.optimization.search.recipes import precision, recipes

EVERYTHING = recipes(Precision, False)


def test_every_step_is_a_pass_with_parameters_it_offers() -> None:
    for recipe in EVERYTHING:
        for name, params in recipe.steps:
            for parameter, chosen in params.items():
                assert chosen in PASSES[name].space[parameter], f"{recipe.name}: {name} {parameter}"


def test_every_pass_is_used() -> None:
    assert {name for recipe in EVERYTHING for name, _ in recipe.steps} == set(PASSES)


def test_names_and_chains_are_unique() -> None:
    chains = [tuple((name, tuple(params.items())) for name, params in recipe.steps) for recipe in EVERYTHING]

    assert len({recipe.name for recipe in EVERYTHING}) == len(EVERYTHING)
    assert len(set(chains)) == len(chains)


def test_a_name_fits_a_folder() -> None:
    assert all(recipe.name.replace("-", "").isalnum() for recipe in EVERYTHING)


@pytest.mark.parametrize("wanted", Precision)
def test_only_what_was_asked_for_is_tried(wanted: Precision) -> None:
    found = recipes([wanted], False)

    assert found
    assert {precision(recipe) for recipe in found} == {wanted}


def test_nothing_asked_for_is_nothing_tried() -> None:
    assert recipes([], False) == ()


def test_without_data_only_lossless_recipes_remain() -> None:
    found = recipes(Precision, True)

    assert {recipe.name for recipe in found} == {"openvino", "fused", "folded"}


def test_the_order_is_kept_when_some_are_left_out() -> None:
    names = [recipe.name for recipe in EVERYTHING]

    assert [recipe.name for recipe in recipes([Precision.INT8, Precision.FP32], False)] == [
        name for name, one in zip(names, EVERYTHING, strict=True) if precision(one) in (Precision.INT8, Precision.FP32)
    ]


def test_precision_is_lowered_last_before_structure() -> None:
    """A fusion after quantization would find nothing: recipes rewrite structure first."""
    for recipe in EVERYTHING:
        lowered = [PASSES[name].precision is not Precision.FP32 for name, _ in recipe.steps]
        assert lowered == sorted(lowered), recipe.name


def test_the_precision_of_a_chain_is_its_last_lowering() -> None:
    assert precision(Recipe("a", (("fold", {}), ("fp16", {}), ("ort-graph", {})))) is Precision.FP16
    assert precision(Recipe("b", (("fold", {}), ("ort-graph", {})))) is Precision.FP32


def test_looking_at_recipes_imports_no_heavy_library() -> None:
    program = (
        "import sys, modelyard.builder.optimization.search.recipes\n"
        "print(sorted({'onnx', 'onnxruntime', 'openvino', 'nncf', 'onnxscript', 'numpy', 'torch'} & set(sys.modules)))"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
