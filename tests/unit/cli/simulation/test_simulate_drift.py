"""`modelyard simulate drift`, as a person or a script calls it."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from modelyard.cli.main import app
from modelyard.cli.simulation.drift import ONE_CLOCK, THREE_CLOCKS, pair, span_text

SMALL = ("--features", "1", "--runs", "1", "--days", "0.1", "--rows", "50", "--reference", "1000")


def drift(*options: str) -> Any:
    return CliRunner().invoke(app, ["simulate", "drift", *options])


def found(*options: str) -> dict[str, Any]:
    done = drift(*SMALL, *options, "--output", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_change_is_found_and_the_usual_rules_are_asked_the_same() -> None:
    result = found("--missing", "0%:20%", "--quiet-days", "0")
    assert result[THREE_CLOCKS]["found"] == result[ONE_CLOCK]["found"] == 1
    assert result[THREE_CLOCKS]["medianMinutes"] < 10
    assert result[THREE_CLOCKS]["falseAlarmsAMonth"] is None
    assert len(result) == 9
    assert result["PSI > 0.1, hourly"]["found"] == 0


def test_without_a_change_only_false_alarms_are_told() -> None:
    result = found("--quiet-days", "1", "--rhythm", "0.1", "--correlation", "0.01")
    assert result[THREE_CLOCKS] == {
        "quietRuns": 1, "quietRunsWithAlarms": 0, "falseAlarmsAMonth": 0, "found": None, "medianMinutes": None,
        "p90Minutes": None,
    }  # fmt: skip


def test_people_get_a_table() -> None:
    done = drift(*SMALL, "--category", "5%:30%", "--quiet-days", "0")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].split()[0] == "RULE"
    assert done.stdout.splitlines()[1].startswith(THREE_CLOCKS)


def test_a_category_that_is_not_rare_is_refused() -> None:
    assert drift("--category", "5%:50%").exit_code == 2


@pytest.mark.parametrize("text", ["5%", "5%:", ":", "a:b"])
def test_a_pair_is_a_share_before_and_one_after(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        pair(text)


def test_pairs_and_spans_are_read_and_written() -> None:
    assert pair("1%:0.03") == (0.01, 0.03)
    assert [span_text(minutes) for minutes in (20, 200, 5000)] == ["20 min", "3.3 h", "3.5 d"]
    assert span_text(None) == ""


def test_the_rollouts_simulation_is_still_there() -> None:
    done = CliRunner().invoke(app, ["simulate", "--help"])
    assert "--true-rate" in done.stdout
    assert "drift" in done.stdout
