"""Streams of labelled answers with a known share of wrong ones."""

from random import Random

import pytest

from modelyard.core.monitoring.alarms import Clock
from modelyard.core.monitoring.performance.decay import (
    DecayFinding,
    LabelledMinute,
    QualityQuestion,
    decay,
    minutes_of,
    said,
)

QUESTION = QualityQuestion("", "wrong", 250, 5000)
START = 1_000 * 1440


def stream(
    days: float, share: float, rows: int = 5, every: int = 10, start: int = START, seed: int = 1
) -> list[LabelledMinute]:
    """`rows` labelled answers every so many minutes."""
    chance = Random(seed)
    return [
        LabelledMinute(minute, rows, sum(chance.random() < share for _ in range(rows)))
        for minute in range(start, start + int(days * 1440), every)
    ]


def judged(minutes: list[LabelledMinute], now: int | None = None, questions: int = 1) -> DecayFinding:
    return decay(QUESTION, minutes, questions, 1.0, minutes[-1].minute if now is None else now)


def test_a_model_that_stays_as_it_was_raises_nothing_in_a_quarter() -> None:
    for seed in range(4):
        assert judged(stream(90, 0.05, seed=seed)).alarm is None


def test_twice_as_many_wrong_answers_are_found_within_days_and_since_when() -> None:
    minutes = stream(10, 0.05) + stream(3, 0.12, start=START + 10 * 1440)
    found = judged(minutes)
    assert found.alarm is not None
    assert abs(found.alarm.since - (START + 10 * 1440)) <= 1440
    assert found.alarm.kind == "decay"
    assert found.alarm.broken, "it pages"
    assert said(found).endswith("of the answers are wrong; of the reference 5%")
    assert (found.rows, found.hits) == (sum(m.rows for m in minutes), sum(m.hits for m in minutes))


def test_a_model_that_is_all_wrong_is_found_in_the_hour_that_runs() -> None:
    minutes = stream(2, 0.05) + stream(1 / 24, 0.9, every=5, start=START + 2 * 1440)
    found = judged(minutes)
    assert found.alarm is not None
    assert found.alarm.clock is Clock.HOUR


def test_a_slow_decay_is_found_by_days_alone() -> None:
    minutes = stream(40, 0.05) + stream(40, 0.085, start=START + 40 * 1440)
    found = judged(minutes)
    assert found.alarm is not None
    assert found.alarm.clock is Clock.DAY


def test_what_gets_better_is_no_decay() -> None:
    assert judged(stream(60, 0.01)).alarm is None


def test_an_alarm_ends_when_it_is_not_renewed() -> None:
    broken = stream(5, 0.05) + stream(0.25, 0.9, start=START + 5 * 1440)
    mended = broken + stream(20, 0.05, start=START + 6 * 1440)
    assert judged(broken).alarm is not None
    assert judged(mended).alarm is None
    assert judged(broken, now=broken[-1].minute + 90 * 1440).alarm is not None, "that no label comes ends nothing"


def test_the_order_in_which_labels_came_means_nothing_and_late_ones_reopen_their_hour() -> None:
    minutes = stream(3, 0.05) + stream(1, 0.3, start=START + 3 * 1440)
    events = [(one.minute, at < one.hits) for one in minutes for at in range(one.rows)]
    Random(2).shuffle(events)
    assert minutes_of(events) == minutes
    assert minutes_of([]) == []


def test_the_more_is_asked_the_more_evidence_one_answer_takes() -> None:
    minutes = stream(10, 0.05) + stream(0.5, 0.13, start=START + 10 * 1440, seed=5)
    alone = [n for n in (1, 10**3, 10**6, 10**12) if judged(minutes, questions=n).alarm is not None]
    assert alone == sorted(alone)
    assert 10**12 not in alone


def test_labels_of_answers_of_the_future_are_left_out() -> None:
    quiet = stream(2, 0.05)
    found = judged([*quiet, *stream(2, 1.0, start=START + 30 * 1440)], now=quiet[-1].minute)
    assert (found.alarm, found.rows) == (None, sum(one.rows for one in quiet))


@pytest.mark.parametrize("reference", [QualityQuestion("", "wrong", 500, 500), QualityQuestion("", "wrong", 0, 500)])
def test_references_at_the_edge(reference: QualityQuestion) -> None:
    assert decay(reference, [], 1, 1.0, START).alarm is None
    assert decay(reference, stream(2, 0.0), 1, 1.0, START + 2880).alarm is None
    always = decay(reference, stream(2, 1.0), 1, 1.0, START + 2880)
    assert (always.alarm is None) == (reference.hits == 500), "what was always wrong cannot become worse"


def test_an_event_of_numbers_is_said_as_it_is_called() -> None:
    question = QualityQuestion("", "error above 2.5", 50, 500)
    found = decay(question, stream(3, 0.6), 1, 1.0, START + 3 * 1440)
    assert "of the answers have an error above 2.5; of the reference 10%" in said(found)
    assert said(found._replace(alarm=None)) == ""
