"""`modelyard simulate`, as a person or a script calls it."""

import json

import pytest
import typer
from typer.testing import CliRunner

from modelyard.cli.main import app
from modelyard.cli.simulation.rollouts import growth, per_minute
from modelyard.cli.terminal import plot
from modelyard.cli.terminal.options import fraction
from modelyard.errors import UserError


def simulate(*options):
    return CliRunner().invoke(app, ["simulate", *options])


def found(*options):
    done = simulate(*options, "--output", "json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_result_for_scripts_has_fractions_and_minutes():
    result = found("--p0", "1%", "--true-rate", "5%", "--rate", "50/min", "--runs", "20", "--seed", "1")

    assert set(result) == {"aborted", "promoted", "inconclusive", "medianMinutes", "thresholds"}
    assert (result["aborted"], result["promoted"], result["inconclusive"]) == (1, 0, 0)
    assert 1 < result["medianMinutes"] < 4
    assert set(result["thresholds"]) == {"anyMiss", "fiveMisses"}


def test_a_healthy_service_is_promoted_by_the_gate_and_aborted_by_a_threshold():
    result = found("--true-rate", "0.3%", "--rate", "50/min", "--runs", "20")

    assert result["promoted"] == 1
    assert result["thresholds"]["anyMiss"]["aborted"] > 0.5


def test_nothing_decided_has_no_median():
    result = found("--rate", "20/min", "--minutes", "2", "--runs", "5", "--true-rate", "0")
    assert (result["inconclusive"], result["medianMinutes"]) == (1, None)


def test_the_same_seed_gives_the_same_result():
    call = ("--true-rate", "2%", "--rate", "3/s", "--minutes", "5", "--runs", "15")
    assert found(*call, "--seed", "4") == found(*call, "--seed", "4") != found(*call, "--seed", "5")


def test_below_a_share_of_all_the_candidate_is_compared_to_the_stable():
    worse = (
        "--p0",
        "10%",
        "--rate",
        "3000/min",
        "--true-rate",
        "8%",
        "--runs",
        "5",
        "--minutes",
        "4",
    )
    assert found(*worse, "--share", "20%", "--stable-rate", "1%")["aborted"] == 1
    assert found(*worse)["aborted"] == 0


def test_bursts_may_hit_both_arms_at_once():
    call = ("--p0", "1%", "--true-rate", "1%", "--stable-rate", "1%", "--rate", "600/min", "--share", "50%")
    bursty = (*call, "--correlation", "0.05", "--history", "0", "--minutes", "5", "--runs", "20")
    assert found(*bursty, "--shared") != found(*bursty)


@pytest.mark.parametrize("correlation", ["0", "0.01", "0.05"])
def test_a_candidate_like_its_stable_is_not_aborted_for_a_burst(correlation):
    call = ("--p0", "0.1%", "--true-rate", "0.05%", "--stable-rate", "0.05%", "--rate", "6000/min", "--share", "50%")
    assert found(*call, "--correlation", correlation, "--runs", "6", "--minutes", "15")["aborted"] == 0


def test_people_get_a_table():
    done = simulate("--runs", "5", "--minutes", "1")
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["RULE", "Modelyard's", "threshold,", "threshold,"]


@pytest.mark.no_cover
def test_the_plot_is_a_picture(tmp_path):
    done = simulate("--runs", "1", "--rate", "5/min", "--minutes", "1", "--plot", str(tmp_path / "rates.png"))

    assert done.exit_code == 0, done.output
    picture = (tmp_path / "rates.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 10_000


def test_a_plot_into_a_folder_that_is_not_there_is_refused_before_anything_runs(tmp_path):
    done = simulate("--plot", str(tmp_path / "none" / "rates.png"))
    assert isinstance(done.exception, UserError)
    assert "does not exist" in str(done.exception)


def test_a_plot_without_matplotlib_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setattr(plot, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'modelyard\[plots\]'"):
        plot.check(tmp_path / "rates.png")


@pytest.mark.parametrize(
    ("text", "value"), [("1%", 0.01), ("0.01", 0.01), ("100 %", 1.0), ("0", 0.0), ("1e-4", 0.0001), (".5%", 0.005)]
)
def test_fractions_are_read_with_and_without_a_percent_sign(text, value):
    assert fraction(text) == pytest.approx(value)


@pytest.mark.parametrize(("text", "value"), [("50/min", 50), ("2/s", 120), ("3000/h", 50), ("0.5 / s", 30)])
def test_rates_are_read_with_their_unit(text, value):
    assert per_minute(text) == pytest.approx(value)


def test_growth_may_exceed_all():
    assert (growth("25%"), growth("1.5"), growth("400%")) == (0.25, 1.5, 4.0)


@pytest.mark.parametrize(
    ("read", "text"),
    [(fraction, "two"), (fraction, "101%"), (fraction, "-1%"), (fraction, "nan"), (per_minute, "50"),
     (per_minute, "0/s"), (per_minute, "9999999/s"), (growth, "much"), (growth, "-5%"), (growth, "nan")],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_an_example(read, text):
    with pytest.raises(typer.BadParameter, match="write"):
        read(text)


@pytest.mark.parametrize("wrong", [("--p0", "70%"), ("--alpha", "0"), ("--rate", "fast"), ("--runs", "0")])
def test_a_wrong_option_ends_with_code_two(wrong):
    assert simulate(*wrong).exit_code == 2
