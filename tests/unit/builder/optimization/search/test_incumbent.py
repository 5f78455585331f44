"""The best so far: told when it changes, looked for only when somebody asks, and within a share of the budget."""

from dataclasses import replace
from pathlib import Path

from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.search import incumbent as module
from modelyard.builder.optimization.search.incumbent import Incumbent
from modelyard.builder.optimization.trials.trial import Trial

GOOD = Trial(Recipe("good", ()), path=Path("model.onnx"))
COSTS = {"good": 0.5, "better": 0.25, "worse": 0.4, "slower": 1.5}


def named(name: str) -> Trial:
    return replace(GOOD, recipe=Recipe(name, ()))


def test_whoever_beats_all_before_is_told_with_how_many_times_better_it_is() -> None:
    told: list[tuple[str, float]] = []
    incumbent = Incumbent(lambda trial: COSTS[trial.name], lambda name, best: told.append((name, best)), 600)

    for name in ("slower", "good", "better", "worse"):
        incumbent.consider(named(name))

    assert told == [("good", 2.0), ("better", 4.0)]


def test_nothing_is_timed_for_nobody_nor_what_may_not_be_chosen() -> None:
    timed: list[str] = []

    def value(trial: Trial) -> float:
        timed.append(trial.name)
        return 0.5

    Incumbent(value, None, 600).consider(GOOD)
    incumbent = Incumbent(value, lambda *_: None, 600)
    incumbent.consider(replace(GOOD, refused="too much is lost."))
    incumbent.consider(replace(GOOD, path=None))

    assert timed == []


def test_a_draw_of_a_search_that_loses_too_much_never_leads() -> None:
    told: list[str] = []
    incumbent = Incumbent(lambda _: 0.1, lambda name, _: told.append(name), 600)

    assert incumbent.value(replace(GOOD, refused="too much is lost.")) == 0.1
    assert told == []


def test_looking_takes_no_more_than_its_share_of_the_budget() -> None:
    timed: list[str] = []

    def slow(trial: Trial) -> float:
        timed.append(trial.name)
        clock[0] += 40.0
        return 0.5

    clock = [0.0]
    incumbent = Incumbent(slow, lambda *_: None, 600, clock=lambda: clock[0])
    for name in ("one", "two", "three"):
        incumbent.consider(named(name))

    assert timed == ["one"]
    assert module.SHARE * 600 < 2 * 40.0
