"""recipe.yaml: what may be said, what is filled in, and the sentence for every mistake."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.builder.optimization.training.recipe import Distill, Prune, TrainingRecipe, read_recipe
from modelyard.errors import InvalidEntry

NEEDED = {"module": "module.py:Network", "weights": "weights.safetensors", "data": "data.py:load"}


def an_entry(folder: Path, **said: Any) -> Path:
    """An entry folder with a recipe and the (empty) files it names."""
    (folder / "training").mkdir(parents=True)
    (folder / "training" / "recipe.yaml").write_text(yaml.safe_dump({**NEEDED, **said}))
    for name in ("module.py", "data.py", "weights.safetensors"):
        (folder / "training" / name).touch()
    return folder


def test_what_is_not_said_takes_its_default(tmp_path: Path) -> None:
    recipe = read_recipe(an_entry(tmp_path, prune={}, distill={}))

    assert recipe.prune == Prune(kind="structured", ratio=0.5)
    assert recipe.distill == Distill()
    assert (recipe.distill.weights.hard, recipe.distill.weights.soft) == (0.3, 0.7)
    assert (recipe.teacher, recipe.qat, recipe.search, recipe.student) == ("self", None, None, None)


def test_everything_can_be_said(tmp_path: Path) -> None:
    said = {
        "architecture": {"width": 64},
        "teacher": {"architecture": {"width": 128}, "weights": "weights.safetensors"},
        "student": {"width": 16, "fancy": True},
        "distill": {"epochs": 7, "temperature": 2, "weights": {"hard": 0, "soft": 1}},
        "qat": {"epochs": 2},
        "search": {"width": [8, 16], "kernel": [3], "trials": 3, "epochs": 1},
        "seed": 7, "batch": 32, "rate": 0.01,
    }  # fmt: skip

    recipe = read_recipe(an_entry(tmp_path, **said))

    assert recipe.student == {"width": 16, "fancy": True}
    assert recipe.search is not None
    assert recipe.search.space() == {"width": (8, 16), "kernel": (3,)}
    assert recipe.files() == ("module.py", "data.py", "weights.safetensors")
    assert TrainingRecipe.model_validate(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({}, "there is nothing to do; add prune, student, distill, qat or search"),
        ({"prune": {"ratio": 1.0}}, "prune.ratio: Input should be less than 1"),
        ({"prune": {"kind": "2:4", "ratio": 0.25}}, "2:4 always drops half of the weights"),
        ({"prune": {"kind": "random"}}, "prune.kind: Input should be 'structured', 'unstructured' or '2:4'"),
        ({"prune": {}, "student": {}, "distill": {}}, "two ways to a smaller network; keep one"),
        ({"student": {"width": 4}}, "a student starts with random weights; add distill"),
        ({"search": {"width": [4]}}, "what a search finds has random weights; add distill"),
        ({"distill": {}, "search": {}}, "the search space is empty"),
        ({"distill": {"weights": {"hard": 0, "soft": 0}}}, "nothing would be learnt"),
        ({"distill": {"epochs": 0}}, "distill.epochs: Input should be greater than or equal to 1"),
        ({"distill": {}, "epoch": 3}, "epoch: Extra inputs are not permitted"),
        ({"distill": {}, "module": "../module.py:Network"}, "module: String should match pattern"),
        ({"distill": {}, "weights": "weights.pt"}, "weights: String should match pattern"),
        ({"distill": {}, "weights": "/etc/passwd.safetensors"}, "weights: String should match pattern"),
        ({"distill": {}, "weights": "others.safetensors"}, "names others.safetensors, which is no file beside it"),
        ({"qat": {}, "teacher": {"weights": "big.safetensors"}}, "names big.safetensors, which is no file beside it"),
        ({"distill": {"epochs": 0}, "batch": 0}, "(and 1 more)"),
        ({"prune": None}, "prune is empty; write `prune: {}` for its defaults"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_in_a_sentence(tmp_path: Path, said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidEntry) as refused:
        read_recipe(an_entry(tmp_path, **said))

    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"), [("module: [", "is not YAML"), ("- module", "holds no fields"), ("", "holds no fields")]
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    (an_entry(tmp_path) / "training" / "recipe.yaml").write_text(text)

    with pytest.raises(InvalidEntry, match=sentence):
        read_recipe(tmp_path)


def test_a_file_outside_the_entry_is_not_read_through_a_link(tmp_path: Path) -> None:
    entry = an_entry(tmp_path / "entry", distill={})
    (tmp_path / "outside.py").touch()
    (entry / "training" / "data.py").unlink()
    (entry / "training" / "data.py").symlink_to(tmp_path / "outside.py")

    with pytest.raises(InvalidEntry, match=r"names data\.py, which is no file beside it"):
        read_recipe(entry)


def test_an_entry_without_a_recipe_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match="write one, or optimize without --train"):
        read_recipe(tmp_path)
