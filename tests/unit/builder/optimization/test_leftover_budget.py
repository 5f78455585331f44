"""What happens with the time recipes leave, who is told of the best so far, and a choice that is made again."""

from pathlib import Path

from modelyard.api.optimization import ORIGINAL
from modelyard.builder.optimization.optimizer import Watch, optimize, refuse
from modelyard.builder.optimization.trials.timing import TimingBudget
from tests.unit.builder.optimization.classifier import an_entry, an_order
from tests.unit.builder.optimization.tiny_passes import recipes


def test_a_search_gets_the_time_that_recipes_leave_and_the_best_so_far_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    watch = Watch(leading=lambda name, best: told.append((name, best)))
    order = an_order(
        an_entry(tmp_path / "entry", "x" * 4000), tmp_path / "out", goal="size", budget=120.0, leftover=True
    )

    outcome = optimize(order, recipes("halving", "tunable"), tmp_path / "work", watch)

    assert outcome.search_result.drawn > 2
    assert outcome.tried == 3 + len(outcome.search_result.best)
    assert told[0][0] == "halving"
    assert [best for _, best in told] == sorted(best for _, best in told)
    assert told[0][1] > 2


def test_no_search_begins_before_every_recipe_was_tried(tmp_path: Path) -> None:
    order = an_order(an_entry(tmp_path / "entry"), tmp_path / "out", budget=40.0, leftover=True)

    outcome = optimize(order, recipes("hanging", "tunable"), tmp_path / "work")

    assert outcome.search_result.drawn == 0
    assert outcome.tried == 1


def test_where_the_size_decides_nobody_waits_for_a_quiet_machine_and_three_rounds_are_timed(tmp_path: Path) -> None:
    pace = TimingBudget(rounds=11, patience=3600.0)
    order = an_order(an_entry(tmp_path / "entry", "x" * 4000), tmp_path / "out", goal="size", pace=pace)

    outcome = optimize(order, recipes("halving"), tmp_path / "work")

    assert outcome.measured.rounds == 3
    assert outcome.chosen.name == "halving"


def test_a_variant_that_is_of_no_use_is_refused_and_another_is_chosen(tmp_path: Path) -> None:
    order = an_order(an_entry(tmp_path / "entry", "x" * 4000), tmp_path / "out", goal="size")
    outcome = optimize(order, recipes("halving"), tmp_path / "work")
    assert outcome.chosen.name == "halving"

    after = refuse(outcome, "halving", "the server does not know it.")

    assert after.chosen.name == ORIGINAL
    assert [one.refused for one in after.variants] == [None, "the server does not know it."]
    assert [one.pareto for one in after.variants] == [True, False]
