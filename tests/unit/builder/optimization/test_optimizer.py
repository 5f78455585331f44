"""The engine: whatever passes do, the run goes on, every variant has figures or a reason, and the bound holds."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.optimization import ORIGINAL, Optimization, Variant
from modelyard.builder.optimization.optimizer import OptimizationOutcome, Watch, keep, optimize
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.report.report import write
from modelyard.builder.optimization.trials.timing import affordable, grouped
from modelyard.builder.optimization.trials.trial import Trial
from modelyard.errors import BudgetTooSmall, InvalidEntry, UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.unit.builder.optimization.classifier import ROWS, WEIGHTS, a_file, an_entry, an_order
from tests.unit.builder.optimization.tiny_passes import recipes


def run(path: Path, scratch: Path, *names: str, **changes: Any) -> OptimizationOutcome:
    return optimize(an_order(path, scratch / "out", **changes), recipes(*names), scratch / "work")


def by_name(outcome: OptimizationOutcome) -> dict[str, Variant]:
    return {variant.name: variant for variant in outcome.variants}


KNOWN = ("identity", "nan", "flip", "refusing", "raising", "crashing", "devouring", "lazy")


@dataclass(frozen=True)
class Watched:
    """A run, and what its watch was told: the names planned and the names tried."""

    outcome: OptimizationOutcome
    planned: Sequence[str]
    tried: Sequence[str]


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """One run with every kind of pass; what happens to each is asked below."""
    scratch = tmp_path_factory.mktemp("engine")
    planned: list[str] = []
    tried: list[str] = []
    order = an_order(an_entry(scratch / "entry"), scratch / "out")
    everything = lambda *asked: (*recipes(*KNOWN)(*asked), Recipe("unknown", (("unknown", {}),)))  # noqa: E731
    watch = Watch(planned=planned.extend, tried=lambda trial: tried.append(trial.name))
    return Watched(optimize(order, everything, scratch / "work", watch), planned, tried)


@pytest.fixture(scope="module")
def outcome(watched: Watched) -> OptimizationOutcome:
    return watched.outcome


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory: pytest.TempPathFactory) -> OptimizationOutcome:
    """One run without an evaluation set; the recipe `liar` is offered as lossless and is not."""
    scratch = tmp_path_factory.mktemp("unlabelled")
    order = an_order(a_file(scratch / "model.onnx"), scratch / "out")
    honest = recipes("identity", "flip", "hungry")
    return optimize(order, lambda *asked: (*honest(*asked), Recipe("liar", (("flip", {}),))), scratch / "work")


def test_a_variant_that_keeps_the_quality_has_all_its_figures(outcome: OptimizationOutcome) -> None:
    identity = by_name(outcome)["identity"]

    assert (identity.refused, identity.quality, identity.quality_loss) == (None, 1.0, 0.0)
    assert set(identity.latency) == {1, 8}
    assert identity.size
    assert identity.size > 0
    assert identity.passes == ("identity",)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nan", "output 'logits' holds NaN or infinity in 120 of 120 elements."),
        ("flip", "% is lost, 1 % is allowed."),
        ("refusing", "refusing does not apply: the model has nothing it could change."),
        ("raising", "raising failed with ValueError: no such node"),
        ("crashing", "while it was made, it crashed (SIGSEGV)."),
        ("devouring", "while it was made, it ran out of memory."),
        ("lazy", "lazy left no model in its folder."),
        ("unknown", "there is no pass 'unknown'"),
    ],
)
def test_a_variant_that_may_not_be_chosen_says_why(outcome: OptimizationOutcome, name: str, reason: str) -> None:
    assert reason in (by_name(outcome)[name].refused or "")


def test_a_variant_refused_for_its_quality_is_timed_all_the_same(outcome: OptimizationOutcome) -> None:
    assert 1 in by_name(outcome)["flip"].latency
    assert by_name(outcome)["nan"].latency == {}


def test_the_original_is_the_first_variant_and_what_the_others_are_held_against(outcome: OptimizationOutcome) -> None:
    original = outcome.variants[0]

    assert (original.name, original.speedup, original.quality, original.quality_loss) == (ORIGINAL, 1.0, 1.0, 0.0)


def test_the_metric_is_said_with_its_reason(outcome: OptimizationOutcome) -> None:
    assert outcome.baseline.metric == "accuracy"
    assert "labels" in outcome.baseline.reason
    assert outcome.rows == len(ROWS)


def test_the_files_hold_the_report_the_page_and_the_chosen_model(outcome: OptimizationOutcome, tmp_path: Path) -> None:
    (tmp_path / "chosen").mkdir()
    (tmp_path / "chosen" / "of-an-earlier-run").touch()

    report = write(outcome, tmp_path)

    read = Optimization.model_validate_json((tmp_path / "report.json").read_text())
    assert read == report
    assert read.chosen.name in {"identity", ORIGINAL}
    chosen = {file.name for file in (tmp_path / "chosen").iterdir()}
    assert chosen - {"MODEL_CARD.md"} == {"model.onnx", "modelyard.yaml", "eval.npz"}
    assert json.loads((tmp_path / "report.json").read_text())["variants"][0]["peakMemory"] > 0
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "trade-off.png").read_bytes().startswith(b"\x89PNG")
    assert any("40 rows, so one row is 2.5 %" in note for note in report.notes)


def test_a_pass_that_hangs_costs_its_share_of_the_budget_and_no_more(tmp_path: Path) -> None:
    entry, budget, found = an_entry(tmp_path / "entry"), 6.0, dict[str, Variant]()
    while budget < 100 and (not found or "was spent" in (found["hanging"].refused or "")):
        budget *= 2  # the machine was so busy that the original alone took its time
        with suppress(BudgetTooSmall):
            found = by_name(run(entry, tmp_path, "hanging", "identity", budget=budget))

    assert "while it was made, it took longer than the" in (found["hanging"].refused or "")
    assert f"60% of the budget of {budget:g} s was spent" in (found["identity"].refused or "")
    assert 1 in found[ORIGINAL].latency


def test_without_an_evaluation_set_only_lossless_passes_are_tried(
    unlabelled: OptimizationOutcome, tmp_path: Path
) -> None:
    found = by_name(unlabelled)

    assert set(found) == {ORIGINAL, "identity", "hungry", "liar"}
    assert found["identity"].refused is None
    assert found["identity"].quality is None
    assert found["hungry"].refused == "hungry needs data: add an eval.npz to the entry."
    assert "no evaluation set" in write(unlabelled, tmp_path / "out").notes[0]


def test_a_pass_that_breaks_its_promise_of_the_same_answers_is_refused(unlabelled: OptimizationOutcome) -> None:
    refused = by_name(unlabelled)["liar"].refused or ""

    assert "without an evaluation set only the same answers count" in refused
    assert unlabelled.chosen.name in (ORIGINAL, "identity")


def test_a_variant_for_another_runtime_than_asked_for_is_refused(tmp_path: Path) -> None:
    found = by_name(run(a_file(tmp_path / "model.onnx"), tmp_path, "identity", runtimes=("openvino",)))

    assert found["identity"].refused == "it runs in onnxruntime, and only openvino was asked for."
    assert found[ORIGINAL].refused is None


def test_a_model_that_is_not_batchable_is_timed_one_request_at_a_time(tmp_path: Path) -> None:
    path = models.saved(models.doubling((1, 3)), tmp_path / "model.onnx")

    found = run(path, tmp_path, "identity")

    assert set(by_name(found)["identity"].latency) == {1}


def test_the_watch_is_told_what_is_planned_and_what_became_of_it(watched: Watched) -> None:
    assert watched.planned == watched.tried == [ORIGINAL, *KNOWN, "unknown"]


def test_too_small_a_budget_says_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(BudgetTooSmall, match="A budget of 3 s is too small"):
        run(an_entry(tmp_path / "entry"), tmp_path, "identity", budget=3.0)


def test_an_evaluation_set_that_the_original_does_not_meet_is_the_authors_to_mend(tmp_path: Path) -> None:
    entry = an_entry(tmp_path / "entry", **{"output:logits": ROWS @ WEIGHTS + 1})

    with pytest.raises(InvalidEntry, match=r"correct eval\.npz"):
        run(entry, tmp_path, "identity")


def hostile(kind: str, folder: Path) -> Path:
    """Files that lie, each in its own way."""
    folder.mkdir()
    path = folder / "model.onnx"
    if kind == "a path out of the folder":
        (folder.parent / "secret").write_bytes(b"\0" * 12)
        return models.saved(models.with_external_weights("../secret"), path)
    if kind == "a link out of the folder":
        (folder.parent / "secret").write_bytes(b"\0" * 12)
        (folder / "weights").symlink_to(folder.parent / "secret")
        return models.saved(models.with_external_weights("weights"), path)
    if kind == "absurd dimensions":
        return models.saved(models.doubling(("n", 1 << 40)), path)
    if kind == "absurd weights":
        proto = models.with_external_weights("weights", length=1 << 50)
        (folder / "weights").write_bytes(b"\0" * 12)
        proto.graph.initializer[0].dims[0] = 1 << 48
        return models.saved(proto, path)
    path.write_bytes(b"not a model")
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "a path out of the folder",
        "a link out of the folder",
        "absurd dimensions",
        "absurd weights",
        "no model at all",
    ],
)
def test_a_hostile_file_is_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    path = hostile(kind, tmp_path / "hostile")

    with pytest.raises((InvalidEntry, UnsupportedModel)) as refused:
        run(path, tmp_path, "identity")

    assert str(refused.value).endswith((".", ")."))
    assert not (tmp_path / "work" / "original" / "secret").exists()


def a_trial(
    name: str, seconds: float = 1.0, refused: str | None = None, path: Path | None = Path("m"), size: int | None = None
) -> Trial:
    return Trial(Recipe(name, ()), path, seconds=seconds, refused=refused, size=size)


def test_when_time_is_short_the_eligible_and_the_fast_are_timed_first() -> None:
    trials = [
        a_trial(ORIGINAL),
        a_trial("slow", 9),
        a_trial("bad", 1, "why"),
        a_trial("fast"),
        a_trial("no", path=None),
    ]
    costs = {one.name: one.seconds for one in trials}

    assert [one.name for one in affordable(trials, costs, 1000)] == ["fast", "slow", "bad"]
    assert [one.name for one in affordable(trials, costs, 12)] == ["fast"]
    assert affordable(trials, costs, 2) == []
    assert [one.name for one in affordable(trials, costs, 1000, opening=300)] == ["fast", "slow"], "opening counts, too"


def test_when_the_goal_is_size_the_small_are_timed_before_the_fast() -> None:
    trials = [a_trial(ORIGINAL), a_trial("large", 1, size=9), a_trial("small", 5, size=3)]
    costs = {one.name: one.seconds for one in trials}

    assert [one.name for one in affordable(trials, costs, 1000)] == ["large", "small"]
    assert [one.name for one in affordable(trials, costs, 1000, by_size=True)] == ["small", "large"]


def test_variants_that_do_not_fit_in_memory_together_are_timed_in_groups() -> None:
    assert grouped([("a", 4), ("b", 4), ("c", 4)], 2, 10) == [["a", "b"], ["c"]]
    assert grouped([("a", 400)], 2, 10) == [["a"]]
    assert grouped([], 2, 10) == [[]]


def test_an_original_that_stays_is_the_chosen_model_byte_for_byte(outcome: OptimizationOutcome, tmp_path: Path) -> None:
    stays = replace(outcome, chosen=outcome.chosen.model_copy(update={"name": ORIGINAL}))

    for _ in range(2):
        keep(stays, tmp_path / "chosen")

    assert (tmp_path / "chosen" / "model.onnx").read_bytes() == (outcome.request.path / "model.onnx").read_bytes()
