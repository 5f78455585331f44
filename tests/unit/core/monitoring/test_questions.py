"""What is asked of a feature."""

from collections.abc import Callable

import pytest

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile
from modelyard.core.monitoring.questions import FeatureQuestions

Made = Callable[..., FeatureProfile]


def test_numbers_are_asked_about_five_points_on_both_sides(number: Made) -> None:
    asked = FeatureQuestions(number())
    assert [question.label for question in asked.shapes] == [
        "above 20", "above 30", "above 40", "above 50", "above 60",
    ]  # fmt: skip
    assert [question.share for question in asked.shapes] == pytest.approx([0.9, 0.7, 0.5, 0.3, 0.1])
    assert len(asked.sides(0.0)) == 10
    assert asked.shape_hits((1, 2, 3, 4, 5, 6)) == (20, 18, 15, 11, 6)


def test_twenty_bins_are_asked_about_at_the_same_five_points(number: Made) -> None:
    fine = number(edges=tuple(float(at) for at in range(19)), bins=(200,) * 20)
    assert [question.label for question in FeatureQuestions(fine).shapes] == [
        "above 1", "above 5", "above 9", "above 13", "above 17",
    ]  # fmt: skip


def test_a_value_that_most_rows_have_leaves_fewer_points(number: Made) -> None:
    mostly_zero = number(edges=(0.0, 5.0), bins=(3600, 200, 200))
    assert [question.label for question in FeatureQuestions(mostly_zero).shapes] == ["above 0"]
    assert FeatureQuestions(number(edges=(3.0,), bins=(4000, 0))).shapes == ()


def test_categories_are_asked_whether_one_grows(category: FeatureProfile) -> None:
    asked = FeatureQuestions(category)
    assert [(question.label, question.share) for question in asked.shapes] == [("a", 0.6), ("b", 0.35), ("c", 0.05)]
    assert len(asked.sides(0.0)) == 3
    assert asked.shape_hits((5, 6, 7, 8)) == (5, 6, 7)


def test_text_is_asked_about_its_words_and_its_length(number: Made) -> None:
    asked = FeatureQuestions(number(kind="text", seen=(4, 5)))
    assert asked.shapes[0].label == "above 20 words"
    assert [question.kind for question in asked.breaks] == ["invalid", "missing", "outside"]


def test_what_breaks_is_bounded_by_the_reference(number: Made) -> None:
    invalid, missing, outside = FeatureQuestions(number(missing=40, bins=(360, *number().bins[1:]))).breaks
    assert invalid.bound == pytest.approx(0.00247, abs=1e-5)
    assert (missing.share, missing.bound) == (0.01, pytest.approx(0.0176, abs=1e-4))
    assert outside.share == pytest.approx(2 / 3960)


def test_a_share_that_the_spec_allows_is_the_bound_when_it_is_larger(number: Made) -> None:
    assert FeatureQuestions(number(allowed_missing=0.1)).breaks[1].bound == 0.1
    assert FeatureQuestions(number(allowed_missing=0.0001)).breaks[1].bound > 0.002


def test_a_reference_without_values_is_asked_nothing_about_them(number: Made) -> None:
    asked = FeatureQuestions(number(missing=4000))
    assert [question.kind for question in asked.breaks] == ["invalid"]
    assert (asked.shapes, asked.sides(0.0)) == ((), ())
    assert asked.fits(FeatureCounts(rows=5, bins=(5,)))


def test_a_column_in_which_every_value_is_new_is_not_asked_for_new_ones(category: FeatureProfile) -> None:
    keys = category.model_copy(update={"outside": 4000, "categories": (), "bins": (4000,)})
    assert [question.kind for question in FeatureQuestions(keys).breaks] == ["invalid", "missing"]


def test_categories_without_a_list_of_seen_ones_have_no_outside(category: FeatureProfile) -> None:
    asked = FeatureQuestions(category.model_copy(update={"seen": ()}))
    assert [question.kind for question in asked.breaks] == ["invalid", "missing"]


def test_each_break_has_its_own_trials(number: Made) -> None:
    counts = FeatureCounts(rows=100, missing=10, invalid=20, outside=5, bins=(70, 0, 0, 0, 0, 0))
    asked = FeatureQuestions(number())
    assert [question.counted(counts) for question in asked.breaks] == [(20, 100), (10, 80), (5, 70)]


def test_counts_of_other_bins_do_not_fit(number: Made) -> None:
    asked = FeatureQuestions(number())
    assert asked.fits(FeatureCounts(rows=6, bins=(1,) * 6))
    assert asked.fits(FeatureCounts(rows=6, missing=6))
    assert not asked.fits(FeatureCounts(rows=5, bins=(1,) * 5))


def test_a_share_at_the_end_still_has_a_variance(category: FeatureProfile) -> None:
    alone = category.model_copy(update={"categories": ("a",), "bins": (4000, 0)})
    assert FeatureQuestions(alone).variances[0] > 0.0
