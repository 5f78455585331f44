"""Which alerts there are, and that the windows they ask are recorded."""

from modelyard.core.slo.burn_rates import ALERTS, WINDOWS, Severity, by_severity


def test_pages_are_for_what_empties_a_budget_in_days_and_tickets_for_what_empties_it_in_weeks():
    assert [(alert.burn, alert.long, alert.short) for alert in by_severity(Severity.PAGE)] == [
        (14.4, "1h", "5m"), (6, "6h", "30m"),
    ]  # fmt: skip
    assert [(alert.burn, alert.long, alert.short) for alert in by_severity(Severity.TICKET)] == [
        (3, "1d", "2h"), (1, "3d", "6h"),
    ]  # fmt: skip


def test_every_window_that_an_alert_asks_is_recorded():
    assert {window for alert in ALERTS for window in (alert.long, alert.short)} == set(WINDOWS)
