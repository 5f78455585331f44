"""What the gateway counts decides whether users get answers."""

import pytest

from modelyard.core.reporting.outage import FailedShare, outage
from modelyard.core.traffic import Counts, Traffic, TrafficWindow
from tests.support.worlds.builders import a_model

NOW = 1_800_000_000


def judged(*counted, rate="1%", every=20):
    """Of slices of `every` seconds, oldest first, as (requests, failed)."""
    ends = range(NOW - every * (len(counted) - 1), NOW + 1, every)
    windows = tuple(
        TrafficWindow(end, every, {"a": Counts(requests, failed, 0, {})})
        for end, (requests, failed) in zip(ends, counted, strict=True)
    )
    return outage(a_model(slo={"errorRate": rate}).spec, Traffic(windows), "a", NOW)


@pytest.mark.parametrize(
    ("counted", "rate", "fails"),
    [
        ([(100, 100)], "1%", True),
        ([(100, 15)], "1%", True),
        ([(100, 14)], "1%", False),
        ([(100, 49)], "5%", False),
        ([(100, 50)], "5%", True),
        ([(4, 4)], "1%", False),
        ([(5, 5)], "1%", True),
        ([(0, 0)], "1%", False),
    ],
)
def test_it_takes_some_failures_and_many_times_what_is_allowed(counted, rate, fails):
    assert (judged(*counted, rate=rate) is not None) is fails


def test_the_last_minute_is_added_up():
    assert judged((100, 0), (50, 50), (50, 30), (50, 40)) == FailedShare(120, 150)


def test_nothing_counted_is_no_outage():
    assert outage(a_model().spec, Traffic(), "a", NOW) is None


def test_the_other_slot_is_somebody_elses():
    windows = (TrafficWindow(NOW, 20, {"b": Counts(100, 100, 0, {})}),)

    assert outage(a_model().spec, Traffic(windows), "a", NOW) is None
