"""What the test runner makes of what its stages report."""

from pathlib import Path

import pytest

from testrun.__main__ import main, minutes, summary
from testrun.outcome import Duration, Outcome, durations, last_line, read_junit, slowest


def _report(tmp_path: Path, *suites: str) -> Path:
    path = tmp_path / "report.xml"
    path.write_text(f"<testsuites>{''.join(suites)}</testsuites>")
    return path


def test_passed_are_those_that_neither_failed_nor_broke_nor_were_skipped(tmp_path):
    report = _report(tmp_path, '<testsuite tests="10" failures="1" errors="2" skipped="3"/>')

    assert read_junit(report) == (4, 6)


def test_suites_of_one_report_are_summed(tmp_path):
    report = _report(tmp_path, '<testsuite tests="2" failures="0"/>', '<testsuite tests="3" failures="1"/>')

    assert read_junit(report) == (4, 1)


@pytest.mark.parametrize("content", [None, "", "<testsuites"])
def test_a_missing_or_broken_report_is_an_error_not_a_zero(tmp_path, content):
    path = tmp_path / "report.xml"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ValueError, match="no report"):
        read_junit(path)


def test_the_last_line_sums_all_stages_and_counts_a_broken_check_as_a_failure():
    outcomes = [Outcome("lint", broken=["ruff check failed"]), Outcome("unit", 20, 1), Outcome("e2e", 5)]

    assert last_line(outcomes) == "25 passed, 2 failed"


def test_a_stage_with_a_broken_check_is_not_good_though_all_its_tests_passed():
    assert not Outcome("unit", 20, 0, ["branch coverage is below 100 %"]).good
    assert Outcome("unit", 20).good


def test_the_summary_has_a_row_for_every_stage_and_one_for_all():
    assert summary([Outcome("lint"), Outcome("unit", 3)], 5.0).row_count == 3


def test_a_report_tells_how_long_each_test_took(tmp_path):
    case = '<testcase classname="tests.unit.test_a" name="test_b" time="1.5"/>'
    report = _report(tmp_path, f"<testsuite>{case}</testsuite>")

    assert durations(report) == [Duration(1.5, "tests.unit.test_a::test_b")]


def test_the_slowest_tests_are_those_of_all_stages():
    unit = Outcome("unit", durations=[Duration(1.0, "a"), Duration(3.0, "b")])
    e2e = Outcome("e2e", durations=[Duration(2.0, "c")])

    assert [duration.test for duration in slowest([unit, e2e], 2)] == ["b", "c"]


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (75.0, "1:15"), (1200.0, "20:00")])
def test_times_are_shown_in_minutes_and_seconds(seconds, shown):
    assert minutes(seconds) == shown


def test_an_unknown_stage_is_refused_with_the_known_ones(capsys):
    code = main(["unt"])

    assert code == 2
    assert "lint, unit, integration, charts, e2e" in capsys.readouterr().err
