"""What the test runner makes of what its stages report."""

from pathlib import Path

import pytest

from testrun.__main__ import main, summary
from testrun.outcome import Outcome, last_line, read_junit


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


def test_the_summary_has_a_row_for_every_stage():
    assert summary([Outcome("lint"), Outcome("unit", 3)]).row_count == 2


def test_an_unknown_stage_is_refused_with_the_known_ones(capsys):
    code = main(["unt"])

    assert code == 2
    assert "lint, unit, integration, charts, e2e" in capsys.readouterr().err
