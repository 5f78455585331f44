"""Spans of time in the two largest units."""

import pytest

from modelyard.cli.terminal.durations import ago, rest, spell
from modelyard.core.conditions import epoch

NOON = epoch("2026-01-01T12:00:00Z")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (130, "2m10s"),
        (3_605, "1h"),
        (3_900, "1h5m"),
        (270_000, "3d3h"),
    ],
)
def test_a_span_has_two_units_at_most(seconds, text):
    assert spell(seconds) == text


def test_times_that_are_not_known_are_not_told():
    assert ago("", NOON) == ""
    assert rest("", 60, NOON) is None


def test_what_is_left_is_never_less_than_nothing():
    assert rest("2026-01-01T11:59:30Z", 60, NOON) == 30
    assert rest("2026-01-01T10:00:00Z", 60, NOON) == 0
