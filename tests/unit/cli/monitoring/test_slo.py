"""What `modelyard slo` says beside the numbers."""

import pytest

from modelyard.cli.monitoring.slo import kept, queries, row, sentences, span_of
from modelyard.clients.metrics.slo_readings import FiringAlert, SloReading
from modelyard.core.slo.budget import ErrorBudget
from modelyard.core.slo.objectives import Promise, PromisedObjective
from modelyard.errors import InvalidInput

DAY = 86_400.0
ERRORS = PromisedObjective(Promise.ERRORS, 0.01, "1% may fail")
LATENCY = PromisedObjective(Promise.LATENCY, 0.01, "p99 within 0.5ms")
GOOD = ErrorBudget(ERRORS, 1000, 5, {"1h": 2.0, "5m": 0.5})
TICKET = FiringAlert("ModelyardBudgetBurnsSlowly", "errors")
PAGE = FiringAlert("ModelyardBudgetBurnsFast", "errors")


def test_a_line_has_what_is_known_and_nothing_for_what_is_not() -> None:
    assert row(GOOD, 30 * DAY) == ["errors", "1% may fail", "0.5%", "50%", "0.5", "2", "", "", "7d12h"]
    assert row(ErrorBudget(ERRORS, 0, 0), 30 * DAY)[2:] == ["", "", "", "", "", "", ""]
    assert row(ErrorBudget(ERRORS, 100, 50), 30 * DAY)[-1] == "is empty"


def test_how_much_was_counted_is_said_where_it_is_less_than_the_window() -> None:
    assert sentences(SloReading((GOOD,), (), 6 * 3600), "30d", 30 * DAY) == [
        "Counted over 6h of 30d: Prometheus knows no more."
    ]
    assert sentences(SloReading((GOOD,), (PAGE,), 30 * DAY), "30d", 30 * DAY) == [
        "ModelyardBudgetBurnsFast fires (errors)."
    ]


def test_a_threshold_below_every_bucket_is_said_to_be_not_judged() -> None:
    blind = ErrorBudget(LATENCY, 0, 0)

    [first, second] = sentences(SloReading((blind,), (), 0.0), "30d", 30 * DAY)

    assert first == "Latency is not judged: the gateway's smallest bucket is 1 ms."
    assert second == "Nothing was counted in 30d: nobody has sent a request."


@pytest.mark.parametrize(
    ("bad", "alerts", "good"),
    [
        (5, (), True),
        (10, (), False),
        (5, (PAGE,), False),
        (5, (TICKET,), True),
    ],
)
def test_promises_are_kept_while_something_is_left_and_no_page_is_due(
    bad: float, alerts: tuple[FiringAlert, ...], good: bool
) -> None:
    assert kept(SloReading((ErrorBudget(ERRORS, 1000, bad),), alerts, DAY)) is good


def test_windows_are_hours_days_and_weeks() -> None:
    assert [span_of(text) for text in ("6h", "30d", "4w")] == [6 * 3600, 30 * DAY, 28 * DAY]
    with pytest.raises(InvalidInput, match="is no span"):
        span_of("30m")


def test_an_address_is_one_of_http() -> None:
    with pytest.raises(InvalidInput, match="is no address"):
        queries(None, "ftp://prometheus")  # type: ignore[arg-type]
