"""`modelyard optimize --train` on a tiny network: trained, searched, measured, judged, and logged to MLflow."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from modelyard.api.optimization import Optimization, Variant
from modelyard.builder.optimization.optimizer import optimize
from modelyard.builder.optimization.pass_api import Precision, Recipe
from modelyard.builder.optimization.report.report import write
from modelyard.builder.optimization.training.starting_points import StartingPoints, begin
from modelyard.builder.optimization.training.torch_baseline import EAGER
from modelyard.errors import InvalidEntry, UnsupportedModel

from .conftest import an_order

pytestmark = [pytest.mark.torch, pytest.mark.proof]


@dataclass(frozen=True)
class Ran:
    """A whole run, what it said, and where it logged."""

    begun: StartingPoints
    report: Optimization
    told: list[str]
    runs: Path

    def variant(self, name: str) -> Variant:
        return next(variant for variant in self.report.variants if variant.name == name)


def as_trained(begun: StartingPoints) -> Callable[..., list[Recipe]]:
    """Only what training made, without further passes: those have tests of their own."""
    return lambda *_: [recipe for recipe in begun.recipes(tuple(Precision), False) if recipe.start and not recipe.steps]


@pytest.fixture(scope="module")
def ran(entry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    scratch, told = tmp_path_factory.mktemp("course"), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"file:{scratch / 'runs'}")
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        begun = begin(an_order(entry, scratch / "out"), True, told.append)
        order = replace(begun.request, references=begun.request.references[:1])  # compiling takes a minute
        outcome = optimize(order, as_trained(begun), scratch / "work")
        begun.log(outcome, told.append)
        yield Ran(begun, write(outcome, scratch / "out"), told, scratch / "runs")


def test_every_stage_is_a_variant_that_says_how_it_was_made(ran: Ran) -> None:
    made = {variant.name: variant.passes for variant in ran.report.variants if variant.passes}

    assert made["pruned"] == ("torch-prune",)
    assert made["pruned-distilled"] == ("torch-prune", "torch-distill")
    assert made["pruned-distilled-qat"] == ("torch-prune", "torch-distill", "torch-qat")
    assert made["searched-distilled"] == ("torch-student", "torch-distill")
    assert {ran.variant(name).precision for name in ("pruned", "pruned-distilled")} == {"fp32"}
    assert ran.variant("pruned-distilled-qat").precision == "int8"


def test_what_was_trained_is_smaller_and_keeps_the_quality(ran: Ran) -> None:
    original, distilled, qat = (ran.variant(name) for name in ("original", "pruned-distilled", "pruned-distilled-qat"))

    assert original.size
    assert distilled.size
    assert qat.size
    assert distilled.size < original.size / 2
    assert qat.size < distilled.size
    assert (distilled.refused, qat.refused) == (None, None)
    assert ran.report.chosen.name != "original"


def test_torch_itself_is_timed_and_never_chosen(ran: Ran) -> None:
    eager = ran.variant(EAGER)

    assert (eager.runtime, eager.speedup is not None, 1 in eager.latency) == ("torch", True, True)
    assert "timed to compare with" in (eager.refused or "")
    assert any(f"times as fast as {EAGER}" in note for note in ran.report.notes)


def test_the_search_takes_the_fastest_architecture_that_learns(ran: Ran) -> None:
    note = next(note for note in ran.report.notes if note.startswith("The architecture search"))

    assert "timed 2 of 4 architectures" in note  # the module makes none with an even kernel
    assert "it took width=8 depth=1 kernel=3" in note or "it took width=16 depth=1 kernel=3" in note


def test_epochs_and_final_figures_are_in_mlflow(ran: Ran) -> None:
    folder = next(ran.runs.glob("*/*/metrics")).parent
    losses = [line.split() for line in (folder / "metrics" / "pruned-distilled" / "loss").read_text().splitlines()]
    sizes = (folder / "metrics" / "variants" / "pruned" / "size").read_text().split()

    assert folder.name == ran.begun.trained.run
    assert [step for _, _, step in losses] == ["1", "2", "3"]
    assert float(losses[-1][1]) < float(losses[0][1])
    assert float(sizes[1]) == ran.variant("pruned").size
    assert (folder / "params" / "recipe.prune.ratio").read_text() == "0.5"
    assert (folder / "params" / "recipe.distill.epochs").read_text() == "3"
    model = ran.begun.request.starts["pruned-distilled"].path
    digest = f"sha256:{hashlib.sha256(model.read_bytes()).hexdigest()}"
    assert (folder / "tags" / "pruned-distilled.digest").read_text() == digest


def test_progress_is_told_epoch_by_epoch(ran: Ran) -> None:
    assert sum(line.startswith("training pruned-distilled: epoch") for line in ran.told) == 3


def test_a_second_run_into_the_same_folder_trains_nothing(ran: Ran) -> None:
    told: list[str] = []

    again = begin(replace(ran.begun.request, starts={}, references=(), notes=()), True, told.append)

    assert "taking what an earlier run trained" in told
    assert again.request.starts == ran.begun.request.starts
    assert not any(line.startswith("training") for line in told)


def test_weights_that_are_not_those_of_the_model_are_refused(entry: Path, tmp_path: Path) -> None:
    copy = copytree(entry, tmp_path / "entry")
    with np.load(copy / "eval.npz") as found:
        arrays = {name: found[name] for name in found.files}
    np.savez(copy / "eval.npz", **{**arrays, "output:logits": arrays["output:logits"] + 1})

    with pytest.raises(InvalidEntry, match=r"is not the network of model\.onnx: output 'logits' differs by up to 1"):
        begin(an_order(copy, tmp_path / "out"), True, lambda _: None)


def test_what_the_authors_code_raises_is_the_reason(entry: Path, tmp_path: Path) -> None:
    copy = copytree(entry, tmp_path / "entry")
    (copy / "training" / "module.py").write_text("raise RuntimeError('no such weather')")

    with pytest.raises(UnsupportedModel, match="the training ended early: RuntimeError: no such weather"):
        begin(an_order(copy, tmp_path / "out"), True, lambda _: None)
