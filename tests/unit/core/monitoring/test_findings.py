"""What people are told."""

from collections.abc import Callable

import pytest

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.api.monitoring.spec import Monitoring
from modelyard.core.monitoring.alarms import Alarm, Clock
from modelyard.core.monitoring.declared_quality import policy_of, undeclarable, with_declared
from modelyard.core.monitoring.findings import findings, moved, sentence
from modelyard.core.monitoring.model_state import ModelQuestions, ModelState, judged
from modelyard.core.monitoring.one_comparison import compared, one_step_needed
from modelyard.core.monitoring.visible_change import visible_change

Made = Callable[..., FeatureProfile]
Minute = Callable[..., MinuteCounts]
LATER = 10**9
HIGHER = (4, 13, 18, 22, 26, 17)


@pytest.mark.parametrize(
    ("kind", "label", "said"),
    [
        ("missing", "missing", "3% of the rows have no value; of the reference 0.1%"),
        ("invalid", "invalid", "3% of the rows lack the column or hold another type; of the reference 0.1%"),
        ("outside", "outside", "3% of the rows lie outside the reference; of the reference 0.1%"),
        ("shape", "above 40", "3% are above 40; of the reference 0.1%"),
    ],
)
def test_an_alarm_says_what_is_and_what_was(kind: str, label: str, said: str) -> None:
    assert sentence(Alarm(Clock.MINUTE, kind, label, 1, 0, 0, 0, 3, 100, 0.001)) == said


def test_how_far_is_the_share_of_rows_that_would_have_to_move(number: Made) -> None:
    assert moved(number(), FeatureCounts(rows=100, bins=(10, 20, 20, 20, 20, 10))) == 0.0
    assert moved(number(), FeatureCounts(rows=100, bins=(0, 10, 20, 20, 30, 20))) == pytest.approx(0.2)
    assert moved(number(), FeatureCounts(rows=100, bins=(0, 0, 0, 0, 0, 100))) == pytest.approx(0.9)


@pytest.mark.parametrize("counts", [None, FeatureCounts(rows=5, missing=5), FeatureCounts(rows=5, bins=(5,))])
def test_nothing_counted_has_not_moved(number: Made, counts: FeatureCounts | None) -> None:
    assert moved(number(), counts) == 0.0
    assert moved(number(missing=4000), FeatureCounts(rows=5, bins=(5,))) == 0.0


def test_what_broke_comes_first_then_what_weighs_most_then_what_is_quiet(number: Made, minute: Minute) -> None:
    features = (
        number("calm"), number("light", importance=0.1), number("heavy", importance=0.9), number("gaps"),
        number("answer", role="output"),
    )  # fmt: skip
    questions = ModelQuestions(ReferenceProfile(source="x", rows=4000, features=features))
    usual, higher = minute(0).features["age"], minute(0, bins=HIGHER).features["age"]
    gaps = FeatureCounts(rows=110, missing=10, bins=usual.bins)
    counts = {"calm": usual, "light": higher, "heavy": higher, "answer": higher, "gaps": gaps}
    minutes = [MinuteCounts(minute=at, features=counts) for at in range(1441)]
    found = findings(questions, judged(questions, minutes, LATER), counts, 144_000)
    assert [one.profile.name for one in found] == ["gaps", "answer", "heavy", "light", "calm"]
    assert [one.weight for one in found] == [
        None, pytest.approx(0.15), pytest.approx(0.135), pytest.approx(0.015), None,
    ]  # fmt: skip
    assert [one.rows for one in found] == [110, 100, 100, 100, 100]
    assert found[0].shift == pytest.approx(10 / 110)


def test_a_feature_of_which_nothing_came_is_quiet(profile: ReferenceProfile) -> None:
    found = findings(ModelQuestions(profile), ModelState(), {}, 0)
    assert [(one.alarm, one.rows, one.shift) for one in found] == [(None, 0, 0.0)] * 2
    assert {one.visible.shape for one in found} == {1.0}


def test_a_small_reference_hides_changes_whatever_comes(number: Made) -> None:
    small = number(rows=500, bins=(50, 100, 100, 100, 100, 50))
    thresholds = ModelQuestions(ReferenceProfile(source="x", rows=500, features=(small,))).thresholds
    asked = ModelQuestions(ReferenceProfile(source="x", rows=500, features=(small,))).features["age"]
    seen = visible_change(asked, None, 10**9, thresholds)
    assert seen.missing == pytest.approx(0.0196, abs=1e-3)
    large = ModelQuestions(ReferenceProfile(source="x", rows=4000, features=(number(),))).features["age"]
    more = visible_change(large, None, 10**9, thresholds)
    assert more.missing < 0.003
    assert more.sigma is not None
    assert seen.sigma is not None
    assert 0.05 < more.sigma < seen.sigma


def test_categories_have_no_sigma_and_an_empty_reference_shows_nothing(number: Made, category: FeatureProfile) -> None:
    features = (category, number(missing=4000))
    questions = ModelQuestions(ReferenceProfile(source="x", rows=4000, features=features))
    job, age = (visible_change(asked, None, 10_000, questions.thresholds) for asked in questions.features.values())
    assert (job.sigma, job.shape < 0.05) == (None, True)
    assert age == (1.0, 1.0, None)


def test_phi_hides_changes_too(profile: ReferenceProfile, minute: Minute) -> None:
    questions = ModelQuestions(profile)
    bursts = [minute(at, bins=(20, 40, 40, 0, 0, 0) if at % 2 else (0, 0, 0, 40, 40, 20)) for at in range(121)]
    state = judged(questions, bursts, LATER)
    calm = visible_change(questions.features["age"], None, 10_000, questions.thresholds)
    wild = visible_change(questions.features["age"], state.features["age"], 10_000, questions.thresholds)
    assert wild.shape > calm.shape


def test_the_spec_knows_ranges_and_missing_shares_better(profile: ReferenceProfile) -> None:
    declared = Monitoring.model_validate(
        {
            "drift": {"falseAlarms": "2/y", "features": ["age"]},
            "quality": {"columns": [{"name": "age", "min": 18, "maxMissing": "5%"}, {"name": "job", "max": 3},
                                    {"name": "nobody", "min": 0}]},
        }
    )  # fmt: skip
    age, job = with_declared(profile, declared).features
    assert (age.low, age.high, age.outside, age.allowed_missing) == (18.0, 99.0, 0, 0.05)
    assert (job.low, job.allowed_missing) == (None, None)
    assert [text.partition(",")[0] for text in undeclarable(profile, declared)] == [
        "quality gives 'job' a range", "quality names 'nobody'",
    ]  # fmt: skip
    assert policy_of(declared).false_alarms == 2.0
    assert policy_of(declared).features == ("age",)


@pytest.mark.parametrize("monitoring", [None, Monitoring()])
def test_without_a_word_the_reference_stands(profile: ReferenceProfile, monitoring: Monitoring | None) -> None:
    assert with_declared(profile, monitoring) is profile
    assert undeclarable(profile, monitoring) == []
    assert (policy_of(monitoring).false_alarms, policy_of(monitoring).features) == (1.0, ())


def test_a_declared_maximum_leaves_the_seen_minimum(profile: ReferenceProfile) -> None:
    declared = Monitoring.model_validate({"quality": {"columns": [{"name": "age", "max": 50}]}})
    assert (with_declared(profile, declared).features[0].low, with_declared(profile, declared).features[0].high) == (
        0.0, 50.0,
    )  # fmt: skip


def test_two_heaps_of_rows_are_compared_once(profile: ReferenceProfile) -> None:
    questions = ModelQuestions(profile)
    age = FeatureCounts(rows=1100, missing=100, bins=(40, 130, 180, 220, 260, 170))
    job = FeatureCounts(rows=1000, bins=(600, 350, 50, 0))
    state = compared(questions, {"age": age, "job": job, "new": job})
    assert [(name, alarm.kind, alarm.side) for name, alarm in state.alarms()] == [
        ("age", "missing", 1), ("age", "shape", 1),
    ]  # fmt: skip
    assert state.unknown == ("new",)
    fewer = FeatureCounts(rows=1000, bins=(170, 260, 220, 180, 130, 40))
    assert [alarm.side for _, alarm in compared(questions, {"age": fewer}).alarms()] == [-1]


def test_alike_heaps_and_empty_ones_raise_nothing(profile: ReferenceProfile, number: Made) -> None:
    questions = ModelQuestions(profile)
    age = FeatureCounts(rows=1000, bins=(100, 200, 200, 200, 200, 100))
    assert compared(questions, {"age": age}).alarms() == []
    assert compared(questions, {"age": FeatureCounts(rows=0)}).alarms() == []
    assert compared(questions, {"age": FeatureCounts(rows=2, bins=(1, 1))}).unfit == 1
    empty = number(missing=4000)
    alone = ModelQuestions(ReferenceProfile(source="x", rows=4000, features=(empty,)))
    assert compared(alone, {"age": FeatureCounts(rows=9, missing=9)}).alarms() == []
    sure = number(allowed_missing=1.0, rows=1, bins=(1,), edges=(), outside=1)
    assert compared(ModelQuestions(ReferenceProfile(source="x", rows=1, features=(sure,))), {}).alarms() == []


def test_a_heap_needs_evidence_for_all_features_and_events() -> None:
    assert one_step_needed(30, 10) > one_step_needed(1, 1) == pytest.approx(4.605, abs=1e-3)
