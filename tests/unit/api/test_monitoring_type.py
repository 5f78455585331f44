"""`spec.monitoring` as people write it, and what is refused."""

import pytest
from pydantic import ValidationError

from modelyard.api.crd import structural
from modelyard.api.monitoring.counts import FeatureCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.api.monitoring.spec import Feedback, Monitoring
from modelyard.api.monitoring.status import MonitoringStatus


def monitoring(**fields: object) -> Monitoring:
    return Monitoring.model_validate(fields)


def test_nothing_is_recorded_and_one_false_alarm_a_year_is_fine_where_nothing_is_written() -> None:
    plain = monitoring()
    assert (plain.sample_share, plain.log, plain.drift.false_alarms_a_year) == (0.0, None, 1.0)
    assert plain.drift.features is None


@pytest.mark.parametrize(
    ("text", "a_year"), [("1/y", 1.0), ("2/m", 24.0), ("1/w", 365.25 / 7), ("3/d", 3 * 365.25), ("999/y", 999.0)]
)
def test_false_alarms_are_a_number_in_a_time(text: str, a_year: float) -> None:
    assert monitoring(drift={"falseAlarms": text}).drift.false_alarms_a_year == pytest.approx(a_year)


@pytest.mark.parametrize("text", ["0/y", "1", "1/h", "1.5/y", "1000/y", "-1/y", "1/y ", "yearly"])
def test_any_other_rate_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValidationError, match='such as "1/y"'):
        monitoring(drift={"falseAlarms": text})


@pytest.mark.parametrize(("text", "share"), [("auto", None), ("5%", 0.05), ("100%", 1.0), ("0.1%", 0.001)])
def test_a_sample_is_a_share_or_left_to_the_platform(text: str, share: float | None) -> None:
    assert monitoring(sample=text).sample_share == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize("text", ["0%", "101%", "5", "Auto", "5 %", "-5%", ""])
def test_any_other_sample_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="write auto, or a percentage above 0% and up to 100%"):
        monitoring(sample=text)


def test_a_log_keeps_columns_and_hashes_others() -> None:
    log = monitoring(sample="auto", log={"columns": ["*"], "redact": ["name"], "retention": "7d"}).log
    assert log is not None
    assert (log.columns, log.redact, log.retention_days) == (["*"], ["name"], 7)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"log": {"columns": ["age"]}}, "log needs sample"),
        ({"sample": "auto", "log": {}}, "say which columns are kept"),
        ({"sample": "auto", "log": {"columns": ["*", "age"]}}, "alone"),
        ({"sample": "auto", "log": {"columns": ["age"], "redact": ["age"]}}, "take it out of one of the two"),
        ({"sample": "auto", "log": {"columns": ["age", "age"]}}, "write each name once"),
        ({"sample": "auto", "log": {"columns": ["age"], "retention": "30"}}, 'such as "30d"'),
        ({"sample": "auto", "log": {"columns": ["age"], "retention": "0d"}}, 'such as "30d"'),
        ({"drift": {"features": ["a", "b", "a"]}}, "write each name once"),
        ({"quality": {"columns": [{"name": "age"}]}}, "say something of the column"),
        ({"quality": {"columns": [{"name": "age", "min": 3, "max": 2}]}}, "min is above max"),
        ({"quality": {"columns": [{"name": "a", "min": 1}, {"name": "a", "max": 2}]}}, "write each column once"),
        ({"quality": {"columns": [{"name": "age", "maxMissing": "100%"}]}}, "between 0% and 100%"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_write(fields: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        monitoring(**fields)


def test_a_column_may_have_one_bound_or_a_share_of_missing_rows() -> None:
    quality = monitoring(quality={"columns": [{"name": "age", "min": 0}, {"name": "job", "maxMissing": "2%"}]}).quality
    assert quality is not None
    assert [column.missing_share for column in quality.columns] == [None, pytest.approx(0.02)]


def test_the_api_server_says_the_same_sentences() -> None:
    log = structural(Monitoring)["properties"]["log"]
    assert [rule["message"][:30] for rule in log["x-kubernetes-validations"]] == [
        "say which columns are kept: co",
        'write "*" alone: it stands for',
        "a column is either kept as it ",
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"rows": 10, "missing": 3, "bins": (4, 4)},
        {"rows": 10, "bins": (10,), "outside": 11},
        {"rows": -1},
        {"rows": 2, "missing": 1, "invalid": 2},
        {"rows": 2**60, "bins": (2**60,)},
    ],
)
def test_counts_that_do_not_add_up_are_not_believed(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FeatureCounts.model_validate(fields)


def test_a_profile_finds_its_features_by_name() -> None:
    age = FeatureProfile(name="age", column="input[0]", role="input", kind="number", rows=10, missing=2, bins=(8,))
    profile = ReferenceProfile(source="eval.npz", rows=10, features=(age,))
    assert (profile.feature("age"), profile.feature("job"), age.values) == (age, None, 8)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"missing": 11}, "in one of the bins"),
        ({"bins": (9,)}, "in one of the bins"),
        ({"outside": 11}, "in one of the bins"),
        ({"bins": (4, 6)}, "one bin more"),
        ({"kind": "category", "categories": ("a", "b"), "bins": (10,)}, "one bin more"),
        ({"edges": (2.0, 1.0), "bins": (4, 3, 3)}, "edges are finite and rise"),
        ({"edges": (float("inf"),), "bins": (4, 6)}, "edges are finite and rise"),
    ],
)
def test_a_profile_that_contradicts_itself_is_none(fields: dict[str, object], says: str) -> None:
    plain = {"name": "age", "column": "age", "role": "input", "kind": "number", "rows": 10, "missing": 0, "bins": (10,)}
    with pytest.raises(ValidationError, match=says):
        FeatureProfile.model_validate(plain | fields)


def test_alarms_of_decay_are_a_number_a_year() -> None:
    assert Feedback().false_alarms_a_year == 1.0
    assert Feedback.model_validate({"falseAlarms": "2/m"}).false_alarms_a_year == 24.0


@pytest.mark.parametrize("moment", ["2026-11-29T12:00:00", "yesterday"])
def test_a_time_in_a_status_has_a_zone(moment: str) -> None:
    good = MonitoringStatus.model_validate({"revision": "loans-1", "time": "2026-11-29T12:00:00Z"})
    with pytest.raises(ValidationError):
        MonitoringStatus.model_validate({**good.model_dump(by_alias=True), "time": moment})
