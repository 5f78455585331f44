"""Where lies what was seen of requests, and whose it is."""

from datetime import UTC, datetime

import pytest

from modelyard.core.names import model_of_sampled_route, model_routes
from modelyard.core.storage.monitoring_keys import (
    COUNTS,
    ROWS,
    MinuteKey,
    comparison_key,
    day_of,
    day_prefix,
    detector_key,
    feedback_key,
    hour_prefix,
    is_evaluation,
    learnt_profile_key,
    minute_of,
    model_prefix,
    quality_key,
    revision_prefix,
    status_key,
)

NOON = int(datetime(2026, 11, 29, 12, 5, tzinfo=UTC).timestamp())
KEY = MinuteKey("demo", "loans", "loans-1", NOON, "recorder-7d9f-x2")


@pytest.mark.parametrize("suffix", [ROWS, COUNTS])
def test_a_minutes_key_tells_whose_it_is_and_is_read_back(suffix: str) -> None:
    key = KEY.key(suffix)
    assert key == f"monitor/demo/loans/loans-1/date=2026-11-29/1205-recorder-7d9f-x2{suffix}"
    assert minute_of(key) == KEY
    assert key.startswith(model_prefix("demo", "loans"))
    assert key.startswith(revision_prefix("demo", "loans", "loans-1"))
    assert key.startswith(day_prefix("demo", "loans", "loans-1", datetime.fromtimestamp(NOON, UTC)))
    assert day_of(key) == "2026-11-29"


@pytest.mark.parametrize(
    "strange",
    [
        "", "monitor/demo/loans", "monitor/demo/loans/loans-1/date=2026-11-29/1205-w.txt",
        "monitor/demo/loans/loans-1/date=2026-11-31/1205-w.rows.parquet",
        "monitor/demo/loans/loans-1/date=2026-11-29/2561-w.rows.parquet",
        "monitor/demo/loans/loans-1/date=2026-11-29/deleted/1205-w.rows.parquet",
        "feedback/demo/loans/loans-1/date=2026-11-29/1205-w.rows.parquet",
    ],
)  # fmt: skip
def test_another_key_is_no_minute(strange: str) -> None:
    assert minute_of(strange) is None


def test_labels_lie_by_their_day() -> None:
    key = feedback_key("demo", "loans", "2026-11-29", "abc")
    assert key == "feedback/demo/loans/date=2026-11-29/abc.parquet"
    assert day_of(key) == "2026-11-29"
    assert day_of("registry/loans/1/entry.json") == ""


def test_the_routes_of_a_sample_name_their_model_and_no_other_does() -> None:
    assert {route: model_of_sampled_route(route) for route in (*model_routes("loans"), "loans--preview", "x")} == {
        "loans": "", "loans--path": "", "loans--sampled": "loans", "loans--sampled-path": "loans",
        "loans--preview": "", "x": "",
    }  # fmt: skip


def test_an_hour_has_its_own_minutes_alone() -> None:
    moment = datetime.fromtimestamp(NOON, UTC)
    assert KEY.key(COUNTS).startswith(hour_prefix("demo", "loans", "loans-1", moment))
    later = KEY._replace(minute=NOON + 3600)
    assert not later.key(COUNTS).startswith(hour_prefix("demo", "loans", "loans-1", moment))


def test_what_is_known_of_a_revision_lies_beside_its_days_and_is_no_minute() -> None:
    for key in (detector_key("demo", "loans", "loans-1"), status_key("demo", "loans", "loans-1")):
        assert key.startswith(revision_prefix("demo", "loans", "loans-1"))
        assert (minute_of(key), day_of(key)) == (None, "")


def test_what_was_learnt_of_a_revision_is_told_from_its_rows() -> None:
    made = (comparison_key, detector_key, learnt_profile_key, status_key)
    learnt = [make("demo", "loans", "loans-1") for make in made]
    learnt += [quality_key("demo", "loans", "loans-1", output) for output in ("class", "amount")]

    assert [is_evaluation(key) for key in learnt] == [True] * 6
    assert len(set(learnt)) == 6
    assert all(key > KEY.key(ROWS) for key in learnt), "retention meets a revision's days before what was learnt of it"
    for other in (KEY.key(ROWS), KEY.key(COUNTS), feedback_key("demo", "loans", "2026-11-29", "x"), "status.json"):
        assert not is_evaluation(other)
