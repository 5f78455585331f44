"""All features of a revision, whatever comes."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.core.monitoring.model_state import (
    AHEAD,
    DriftPolicy,
    ModelQuestions,
    ModelState,
    from_plain,
    judged,
    to_plain,
    updated,
)

Minute = Callable[..., MinuteCounts]
LATER = 10**9


@pytest.fixture
def questions(profile: ReferenceProfile) -> ModelQuestions:
    return ModelQuestions(profile)


def test_a_quiet_model_raises_nothing(questions: ModelQuestions, minute: Minute) -> None:
    state = judged(questions, [minute(at) for at in range(300)], LATER)
    assert (state.alarms(), state.minute, state.late) == ([], 299, 0)


def test_what_breaks_comes_before_what_moved(questions: ModelQuestions, minute: Minute) -> None:
    moved = (4, 13, 18, 22, 26, 17)
    state = judged(questions, [minute(at, bins=moved) for at in range(1441)], LATER)
    state = updated(questions, state, minute(1441, rows=120, missing=20), LATER)
    assert [(name, alarm.kind) for name, alarm in state.alarms()] == [("age", "missing"), ("age", "shape")]


def test_a_minute_counts_once_and_never_after_a_later_one(questions: ModelQuestions, minute: Minute) -> None:
    state = judged(questions, [minute(5), minute(5, missing=50, bins=(50, 0, 0, 0, 0, 0)), minute(6)], LATER)
    again = updated(questions, state, minute(4, missing=50, bins=(50, 0, 0, 0, 0, 0)), LATER)
    assert (state.late, again.late) == (1, 2)
    assert again.features == state.features


def test_order_does_not_matter_when_all_are_there(questions: ModelQuestions, minute: Minute) -> None:
    minutes = [minute(at, missing=at % 3, rows=100 + at % 3) for at in range(100)]
    assert judged(questions, minutes[::-1], LATER) == judged(questions, minutes, LATER)


def test_a_minute_of_a_wrong_clock_is_left_out(questions: ModelQuestions, minute: Minute) -> None:
    state = updated(questions, ModelState(), minute(100 + AHEAD), now=100)
    assert state.minute == 105
    state = updated(questions, state, minute(106 + AHEAD), now=105)
    assert (state.minute, state.ahead) == (105, 1)


def test_a_clock_that_went_back_does_not_stop_everything(questions: ModelQuestions, minute: Minute) -> None:
    ahead = updated(questions, ModelState(), minute(5000), now=5000)
    state = updated(questions, ahead, minute(1001), now=1000)
    assert (state.minute, state.late) == (1001, 0)
    assert updated(questions, state, minute(1002), now=1002).minute == 1002


def test_counts_of_another_profile_are_left_out_and_told(questions: ModelQuestions, minute: Minute) -> None:
    state = updated(questions, ModelState(), minute(1, bins=(50, 50)), LATER)
    assert state.unfit == 1
    assert state.features["age"].hour.minutes == 0
    assert state.features["job"].hour.minutes == 1


def test_columns_that_the_reference_does_not_have_are_told(questions: ModelQuestions) -> None:
    strange = {f"new{at}": FeatureCounts(rows=1, invalid=1) for at in range(9)}
    state = judged(questions, [MinuteCounts(minute=at, features=strange) for at in range(3)], LATER)
    assert state.unknown == ("new0", "new1", "new2", "new3", "new4")


def test_features_that_are_not_counted_any_more_still_have_their_alarms_end(
    questions: ModelQuestions, minute: Minute
) -> None:
    minutes = [minute(at, rows=110, missing=10) for at in range(30)]
    state = judged(questions, minutes, LATER)
    assert state.alarms()
    for at in range(30, 400):
        state = updated(questions, state, MinuteCounts(minute=at, features={}), LATER)
    assert state.alarms() == []


def test_a_policy_names_features_and_their_number_decides_the_threshold(profile: ReferenceProfile) -> None:
    all_of_them, one = ModelQuestions(profile), ModelQuestions(profile, DriftPolicy(features=("age", "nothing")))
    assert list(one.features) == ["age"]
    assert one.unknown == ("nothing",)
    assert all_of_them.thresholds == tuple(2 * threshold for threshold in one.thresholds)
    assert all_of_them.thresholds[0] == 525_960 * 2 * 3


def test_a_state_goes_to_json_and_back_and_on_as_before(questions: ModelQuestions, minute: Minute) -> None:
    before = [minute(at, rows=102, missing=2) for at in range(5)]
    state = judged(questions, before, LATER)
    kept = json.loads(json.dumps(to_plain(state)))
    restored = from_plain(kept, questions)
    assert to_plain(restored) == kept
    for at in range(5, 80):
        state = updated(questions, state, minute(at, rows=102, missing=2), LATER)
        restored = updated(questions, restored, minute(at, rows=102, missing=2), LATER)
    assert [name for name, _ in restored.alarms()] == ["age"]
    assert [(n, a._replace(clock=a.clock)) for n, a in restored.alarms()] == state.alarms()


def test_a_feature_keeps_at_most_fifty_numbers_of_evidence(questions: ModelQuestions, minute: Minute) -> None:
    kept = to_plain(judged(questions, [minute(at) for at in range(70)], LATER))
    for feature in kept["features"].values():
        kept_lists = [*feature["minutes"], feature["hours"], feature["days"], *feature["phis"]]
        assert sum(map(len, kept_lists)) + 1 <= 50
        assert len(json.dumps(feature)) < 1000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda kept: {},
        lambda kept: kept | {"features": {"age": {}}},
        lambda kept: kept | {"features": {"age": 5}},
        lambda kept: kept | {"features": {"age": kept["features"]["job"]}},
        lambda kept: kept | {"features": {"age": kept["features"]["age"] | {"alarms": [None]}}},
        lambda kept: kept | {"features": {"age": kept["features"]["age"] | {"hour": [1]}}},
        lambda kept: kept | {"minute": None},
        lambda kept: kept | {"minute": "x"},
    ],
)
def test_what_is_no_state_of_this_profile_is_refused(
    questions: ModelQuestions, minute: Minute, spoil: Callable[[dict], dict]
) -> None:
    kept = to_plain(judged(questions, [minute(1)], LATER))
    with pytest.raises(ValueError):  # noqa: PT011 - each says another thing
        from_plain(spoil(kept), questions)


def test_a_state_of_some_features_is_a_state(questions: ModelQuestions, minute: Minute) -> None:
    kept = to_plain(judged(questions, [minute(1)], LATER))
    del kept["features"]["job"]
    assert list(from_plain(kept, questions).features) == ["age"]


COUNT = st.integers(0, 10**6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5000), COUNT, COUNT, st.lists(COUNT, min_size=6, max_size=6), st.integers(0, 6000)),
        max_size=20,
    )
)
def test_whatever_is_counted_and_whenever_no_state_breaks(
    wild: list[tuple[int, int, int, list[int], int]],
) -> None:
    age = FeatureProfile(
        name="age", column="age", role="input", kind="number", rows=60, missing=0, bins=(10,) * 6,
        edges=(1.0, 2.0, 3.0, 4.0, 5.0), low=0.0, high=9.0,
    )  # fmt: skip
    questions = ModelQuestions(ReferenceProfile(source="x", rows=60, features=(age,)))
    state = ModelState()
    for at, missing, invalid, bins, now in wild:
        counts = FeatureCounts(
            rows=missing + invalid + sum(bins), missing=missing, invalid=invalid, outside=sum(bins) // 2, bins=bins
        )
        state = updated(questions, state, MinuteCounts(minute=at, features={"age": counts}), now)
        kept = json.loads(json.dumps(to_plain(state), allow_nan=False))
        assert to_plain(from_plain(kept, questions)) == kept
