"""The profile of a reference, and counts by it."""

import numpy as np
import pytest

from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import MOST_FEATURES, MOST_NAMED, FeatureProfile
from modelyard.errors import InvalidInput
from modelyard.records.counting import counts_by_minute, feature_counts, table_counts
from modelyard.records.reference import bins_of, profile_of_table, with_importance
from modelyard.records.values import ColumnValues, column

CHANCE = np.random.default_rng(1)


def profiled(values: object, name: str = "x") -> FeatureProfile:
    return profile_of_table([column(name, values)], "a file").features[0]


def counted(profile: FeatureProfile, values: object) -> FeatureCounts:
    return feature_counts(profile, column("x", values))


def test_numbers_have_twenty_bins_of_about_as_many_rows() -> None:
    made = profiled(CHANCE.normal(size=2000))
    assert (made.kind, len(made.edges), set(made.bins)) == ("number", 19, {99, 100, 101} & set(made.bins))
    assert sum(made.bins) == 2000
    assert made.outside == 2


def test_the_reference_counted_by_its_own_profile_is_its_own_bins() -> None:
    for values in (CHANCE.normal(size=500), CHANCE.integers(0, 9, 500), [f"w{at % 50} b c d" for at in range(500)]):
        made = profiled(values)
        assert counted(made, values).bins == made.bins
        assert counted(made, values).outside == 0


def test_many_equal_values_leave_fewer_bins() -> None:
    made = profiled([0.0] * 900 + [float(at) + 0.5 for at in range(100)])
    assert made.edges[0] == 0.0
    assert made.bins[0] == 900
    assert len(made.bins) == len(made.edges) + 1


def test_missing_and_infinite_numbers_are_told_apart() -> None:
    made = profiled([np.nan] * 10 + [np.inf] + list(CHANCE.normal(size=89)))
    assert (made.missing, made.outside) == (10, 3)
    found = counted(made, [np.nan, np.inf, -np.inf, 99.0, made.low])
    assert (found.missing, found.outside, found.rows) == (1, 3, 5)


def test_a_column_of_infinities_or_of_nothing_is_still_a_profile() -> None:
    assert profiled([np.inf, -np.inf]).outside == 2
    nothing = profiled([np.nan, np.nan])
    assert (nothing.missing, nothing.bins, nothing.values) == (2, (), 0)
    assert counted(nothing, [1.0, 2.0]).bins == (2,)
    assert counted(nothing, [np.nan]).bins == ()


def test_whole_numbers_of_few_values_are_categories() -> None:
    made = profiled(np.repeat([3, 1, 2], [50, 30, 20]))
    assert (made.kind, made.categories, made.bins) == ("category", ("3", "1", "2"), (50, 30, 20, 0))
    found = counted(made, [3.0, 2.0, 7.0])
    assert (found.bins, found.outside) == ((1, 0, 1, 1), 1)
    assert profiled(np.arange(100)).kind == "number"
    assert profiled([1, 2, 3]).kind == "number"


def test_words_are_categories_and_sentences_are_text() -> None:
    assert profiled(["red", "blue", "red"]).kind == "category"
    made = profiled(["the cat sat down", "the cat ran away", "a dog sat there"])
    assert (made.kind, made.low, made.high) == ("text", 4.0, 4.0)
    assert counted(made, ["the dog sat", "the zebra sat", ""]).outside == 1
    assert counted(made, ["the dog sat", "the zebra sat", ""]).missing == 1


def test_new_categories_must_be_expected_where_many_come_once() -> None:
    assert profiled(["a"] * 50 + ["b"] * 50).outside == 0
    assert profiled([f"id{at}" for at in range(100)]).outside == 100
    assert profiled(["a", "a", "b"]).outside == 1


def test_ten_thousand_categories_are_nine_and_the_rest() -> None:
    made = profiled([f"c{at}" for at in range(12_000) for _ in range(2)] + ["c5"] * 100)
    assert len(made.categories) == MOST_NAMED
    assert made.categories[0] == "c5"
    assert sum(made.bins) == 24_100
    assert len(made.seen) <= 10_000
    assert made.outside == 4000
    assert len(made.model_dump_json()) < 150_000


def test_a_very_long_category_is_not_named() -> None:
    made = profiled(["x" * 1000] * 60 + ["y"] * 40)
    assert (made.categories, made.bins) == (("y",), (40, 60))
    assert counted(made, ["x" * 1000, "z"]).outside == 1


def test_other_types_than_the_references_are_invalid() -> None:
    number, text = profiled(CHANCE.normal(size=100)), profiled(["a b c", "c d e"])
    assert counted(number, ["1.5", "oops", None]).invalid == 1
    assert counted(text, [1.0, 2.0]).outside == 2


def test_no_rows_are_no_reference() -> None:
    with pytest.raises(InvalidInput, match="has no rows"):
        profile_of_table([column("x", [])], "ref.csv")


def test_a_hundred_features_are_watched_and_the_others_named() -> None:
    made = profile_of_table([column(f"f{at}", [1.0, 2.0]) for at in range(MOST_FEATURES + 2)], "a file")
    assert len(made.features) == MOST_FEATURES
    assert [text.partition(":")[0] for text in made.left_out] == ["f100", "f101"]


def test_importance_is_given_by_column() -> None:
    made = with_importance(profile_of_table([column("a", [1.0]), column("b", [1.0])], "f"), {"a": 0.7})
    assert [one.importance for one in made.features] == [0.7, None]


def test_a_value_at_an_edge_lies_below_it() -> None:
    assert bins_of(np.array([1.0, 1.5, 2.0, 9.0]), (1.0, 2.0)) == [1, 2, 1]


def test_a_table_is_counted_by_minutes_and_says_what_is_missing_or_new() -> None:
    columns = {"age": column("age", [1.0, 2.0, 3.0]), "new": column("new", [1, 2, 3])}
    profile = profile_of_table([column("age", CHANCE.normal(size=50)), column("job", ["a", "b"] * 25)], "ref")
    first, second = counts_by_minute(profile, columns, np.array([7, 9, 7]))
    assert (first.minute, first.requests, second.minute, second.requests) == (7, 2, 9, 1)
    assert first.features["job"].invalid == 2
    assert first.features["new"].invalid == 2
    assert second.features["age"].rows == 1
    assert table_counts(profile, {}, 0)["age"].rows == 0


def test_counting_takes_columns_as_they_are() -> None:
    given = ColumnValues("x", np.array(["a", None], object), np.array([False, False]))
    assert feature_counts(profiled(["a", "a", "b"]), given).missing == 1
