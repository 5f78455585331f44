"""The search over parameters: every configuration at most once, quality before speed, and it goes on where it ended."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.optimization import ORIGINAL
from modelyard.builder.optimization.optimizer import Watch, optimize
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.report.report import write
from modelyard.builder.optimization.search.optuna_search import JOURNAL, KEPT, OptunaSearch, SearchResult, search
from modelyard.builder.optimization.search.space import space_of
from modelyard.builder.optimization.trials.trial import Trial
from tests.unit.builder.optimization.classifier import an_entry, an_order
from tests.unit.builder.optimization.tiny_passes import PASSES, recipes

TUNABLE = Recipe("tunable", (("tunable", {}),))
SPACE = space_of(
    [TUNABLE, Recipe("other", (("tunable", {"padding": 0}),)), Recipe("plain", (("identity", {}),))], PASSES
)


class Workbench:
    """Makes trials without making models: the loss comes from the factor, the value from the padding."""

    def __init__(self, journal: Path, loss: Callable[[dict[str, Any]], float | None] = lambda _: 0.0) -> None:
        self.journal, self.loss = journal, loss
        self.made: list[Recipe] = []
        self.valued: list[Recipe] = []
        self.dropped: list[str] = []

    def run_trial(self, recipe: Recipe, seconds: float) -> Trial:
        self.made.append(recipe)
        lost = self.loss(dict(recipe.steps[0][1]))
        path = None if lost is None else Path("model.onnx")
        return Trial(recipe, path, loss=lost, refused=None if lost is not None and lost <= 0.01 else "why")

    def value(self, trial: Trial) -> float:
        self.valued.append(trial.recipe)
        return float(trial.recipe.steps[0][1].get("padding", 9999))

    def search(self, known: Sequence[Trial] = (), seconds: float = 60.0, **changes: Any) -> SearchResult:
        quest = OptunaSearch(
            space=SPACE, goal="size", bound=0.01, seed=1, journal=self.journal, name="study", run_trial=self.run_trial,
            deadline=time.monotonic() + seconds, value=self.value, hopeless=frozenset(),
            drop=lambda trial: self.dropped.append(trial.name),
        )  # fmt: skip
        return search(replace(quest, **changes), known)


def settings(found: Sequence[Recipe]) -> list[tuple[Any, ...]]:
    return [(name, *params.values()) for recipe in found for name, params in recipe.steps]


def test_the_space_holds_every_chain_once_with_the_values_that_differ() -> None:
    assert len(list(SPACE.all())) == 2 * 4 + 1


def test_a_configuration_is_the_same_as_a_recipe_and_as_text() -> None:
    for configuration in SPACE.all():
        recipe = SPACE.recipe("any", configuration)
        assert SPACE.of(recipe) == configuration
        assert SPACE.read(SPACE.written(configuration)) == configuration


def test_what_a_recipe_leaves_out_is_the_default_and_what_no_knob_sets_is_outside() -> None:
    assert SPACE.of(TUNABLE) == SPACE.of(Recipe("", (("tunable", {"factor": 1.0, "padding": 3000}),)))
    assert SPACE.of(Recipe("", (("tunable", {"factor": 5.0}),))) is None
    assert SPACE.of(Recipe("", (("tunable", {"fixed": 1}),))) is None
    assert SPACE.read({"chain": "unknown"}) is None


def test_chains_that_could_not_be_made_are_not_searched(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / JOURNAL)

    found = bench.search(hopeless=frozenset({("tunable",)}))

    assert settings(bench.made) == [("identity",)]
    assert found.drawn == 1


def test_a_later_run_may_find_other_chains_hopeless(tmp_path: Path) -> None:
    first, second = Workbench(tmp_path / JOURNAL), Workbench(tmp_path / JOURNAL)

    first.search()
    found = second.search(hopeless=frozenset({("identity",)}))

    assert len(found.best) == KEPT
    assert {name for name, *_ in settings(second.made)} == {"tunable"}


def test_another_space_has_another_key() -> None:
    assert SPACE.key() == space_of([TUNABLE, Recipe("plain", (("identity", {}),))], PASSES).key()
    assert SPACE.key() != space_of([TUNABLE], PASSES).key()


def test_everything_is_tried_once_and_the_best_come_first(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / JOURNAL)

    found = bench.search()

    tried = settings(bench.made)
    assert (len(tried), len(set(tried))) == (9, 9)
    assert found.drawn == 9
    assert [trial.recipe.steps[0][1].get("padding") for trial in found.best[:4]] == [0, 0, 1000, 1000]
    assert len(found.best) == KEPT
    assert len(bench.dropped) == 9 - KEPT


def test_what_loses_the_quality_is_never_among_the_best(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / JOURNAL, lambda params: 0.5 if params.get("factor") == -1.0 else 0.0)

    found = bench.search()

    assert found.kept == 5
    assert all(trial.recipe.steps[0][1].get("factor") != -1.0 for trial in found.best)


def test_what_is_hopeless_in_quality_is_not_timed(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / JOURNAL, lambda params: 0.5 if params.get("factor") == -1.0 else 0.0)

    bench.search(known=[bench.run_trial(SPACE.recipe("known", c), 1.0) for c in SPACE.all() if c.places[:1] != (1,)])

    hopeless = [one for one in settings(bench.valued) if -1.0 in one]
    assert hopeless == []


def test_what_cannot_be_made_is_passed_over(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / JOURNAL, lambda params: None if params.get("padding") == 0 else 0.0)

    found = bench.search()

    assert found.best[0].recipe.steps[0][1]["padding"] == 1000


def test_recipes_that_were_tried_are_not_made_again(tmp_path: Path) -> None:
    bench = Workbench(tmp_path / JOURNAL)
    known = Trial(TUNABLE, Path("model.onnx"), loss=0.0)

    found = bench.search(known=[known])

    assert len(bench.made) == 8
    assert TUNABLE in bench.valued
    assert known not in found.best


def test_a_later_run_makes_the_best_again_and_goes_on_with_what_is_left(tmp_path: Path) -> None:
    first, second = Workbench(tmp_path / JOURNAL), Workbench(tmp_path / JOURNAL)
    stopping = iter(range(6))

    def few(recipe: Recipe, seconds: float) -> Trial:
        if next(stopping, None) is None:
            raise KeyboardInterrupt
        return Workbench.run_trial(first, recipe, seconds)

    with pytest.raises(KeyboardInterrupt):
        first.search(run_trial=few)
    second.search()

    again = set(settings(first.made)) & set(settings(second.made))
    assert set(settings(first.made)) | set(settings(second.made)) == set(
        settings([SPACE.recipe("", c) for c in SPACE.all()])
    )
    assert len(again) == KEPT


def test_the_same_seed_draws_the_same(tmp_path: Path) -> None:
    drawn = []
    for run in ("a", "b"):
        bench = Workbench(tmp_path / run / JOURNAL)
        bench.search()
        drawn.append(settings(bench.made))

    assert drawn[0] == drawn[1]


def test_no_time_means_no_draw(tmp_path: Path) -> None:
    assert Workbench(tmp_path / JOURNAL).search(seconds=0.0) == SearchResult((), 0, 0)


def test_the_engine_searches_what_could_be_made_and_chooses_from_it(tmp_path: Path) -> None:
    entry = an_entry(tmp_path / "entry", described="x" * 1000)
    order = an_order(entry, tmp_path / "out", goal="size", search=True)
    told: list[str] = []

    outcome = optimize(order, recipes("padded", "refusing"), tmp_path / "work", Watch(say=told.append))

    report = write(outcome, tmp_path / "out")
    chosen = next(variant for variant in report.variants if variant.name == report.chosen.name)
    assert chosen.name.endswith("-padded")
    assert chosen.steps == ({"padded": {"padding": 0}},)
    assert chosen.quality_loss == 0.0
    assert [variant.name for variant in report.variants][:3] == [ORIGINAL, "padded", "refusing"]
    assert any("The search tried 2 settings of the passes, 2 of them kept the quality" in note for note in report.notes)
    assert (tmp_path / "out" / JOURNAL).is_file()
    assert "search: 2 of 2, padded" in told
