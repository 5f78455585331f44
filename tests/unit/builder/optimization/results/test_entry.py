"""The chosen variant as an entry: complete, pushed as it is, and held to the metric that chose it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from modelyard.api.entry import Judgement
from modelyard.api.optimization import ORIGINAL
from modelyard.builder.artifacts.shared_layer import make_part
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.artifacts.staging import Naming, stage_entry
from modelyard.builder.optimization.optimizer import OptimizationOutcome, keep, optimize
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.results.entry import describe
from modelyard.core.storage.entry_metadata import parse_metadata
from modelyard.errors import InvalidEntry
from modelyard.registry.folder import read_folder
from tests.unit.builder.optimization.classifier import an_entry, an_order


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> OptimizationOutcome:
    """An entry with a card; scaled logits are smaller on disk, and their classes are the same."""
    scratch = tmp_path_factory.mktemp("entry")
    entry = an_entry(scratch / "entry", described="x" * 4000)
    (entry / "MODEL_CARD.md").write_text("# Tiny\n\nThree classes.\n")
    (entry / "config.pbtxt").write_text("max_batch_size: 4")
    halving = lambda *_: (Recipe("halved", (("halving", {}),)),)  # noqa: E731
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[5]))
        return optimize(an_order(entry, scratch / "out", goal="size"), halving, scratch / "work")


@pytest.fixture
def chosen(outcome: OptimizationOutcome, tmp_path: Path) -> Path:
    folder = tmp_path / "chosen"
    keep(outcome, folder)
    describe(outcome, folder)
    return folder


def test_it_is_an_entry_that_can_be_pushed(chosen: Path, tmp_path: Path) -> None:
    folder = stage_entry(chosen, tmp_path / "scratch", Naming())

    entry = read_folder(folder).entry
    assert (entry.name, entry.version) == ("tiny", "1-halved")
    assert {file.path for file in entry.files} == {
        "model.onnx", "modelyard.yaml", "eval.npz", "config.pbtxt", "MODEL_CARD.md",
    }  # fmt: skip


def test_its_evaluation_set_is_the_original_one(chosen: Path, outcome: OptimizationOutcome) -> None:
    assert (chosen / "eval.npz").read_bytes() == (outcome.request.path / "eval.npz").read_bytes()


def test_its_card_goes_on_with_what_became_of_it(chosen: Path) -> None:
    card = (chosen / "MODEL_CARD.md").read_text()

    assert card.startswith("# Tiny\n\nThree classes.\n\n## Optimization\n\n")
    assert "the variant `halved` of tiny:1 (halving), for onnxruntime" in card
    assert "0 % of accuracy lost, 1 % allowed" in card


def test_a_build_holds_it_to_the_metric_and_not_to_every_digit(chosen: Path, tmp_path: Path) -> None:
    found = make_part(read_source(chosen), tmp_path / "part").findings["quality"]

    assert (found["metric"], found["value"], found["rows"]) == ("accuracy", 1.0, 40)
    assert found["largestDifference"]["logits"] > 0.1
    assert not (tmp_path / "part" / "judgement.json").exists()


def test_without_that_a_build_refuses_it(chosen: Path, tmp_path: Path) -> None:
    metadata = yaml.safe_load((chosen / "modelyard.yaml").read_text())
    assert metadata.pop("evaluation") == {"metric": "accuracy", "bound": 0.99}
    (chosen / "modelyard.yaml").write_text(yaml.safe_dump(metadata))

    with pytest.raises(InvalidEntry, match=r"is not what eval\.npz expects"):
        make_part(read_source(chosen), tmp_path / "part")


def test_a_model_that_misses_its_bound_is_refused(chosen: Path, tmp_path: Path) -> None:
    with np.load(chosen / "eval.npz") as arrays:
        held = dict(arrays)
    held["labels"] = (held["labels"] + 1) % 3
    np.savez(chosen / "eval.npz", **held)

    with pytest.raises(InvalidEntry, match=r"accuracy on eval.npz is 0 and modelyard.yaml asks for at least 0.99"):
        make_part(read_source(chosen), tmp_path / "part")


def test_an_original_that_stays_keeps_its_version(outcome: OptimizationOutcome, tmp_path: Path) -> None:
    stays = replace(outcome, chosen=outcome.chosen.model_copy(update={"name": ORIGINAL}))
    keep(stays, tmp_path / "chosen")

    describe(stays, tmp_path / "chosen")

    source = outcome.request.path
    for name in ("modelyard.yaml", "MODEL_CARD.md", "model.onnx", "eval.npz"):
        assert (tmp_path / "chosen" / name).read_bytes() == (source / name).read_bytes()


def test_what_was_no_entry_does_not_become_one(outcome: OptimizationOutcome, tmp_path: Path) -> None:
    alone = replace(outcome, request=replace(outcome.request, path=outcome.request.path / "model.onnx"))

    describe(alone, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_metric_with_its_bound_is_read_from_the_metadata() -> None:
    text = b"{name: a, version: '1', framework: onnx, task: other, evaluation: {metric: mae, bound: 0.5}}"

    assert parse_metadata(text, "it").evaluation == Judgement(metric="mae", bound=0.5)
