"""The page about rollouts says what the code does: its words, and the requests it takes to decide."""

import random
import re
from pathlib import Path
from statistics import median

import pytest

from modelyard.api.model import ModelSpec
from modelyard.api.rollout import FITS, Action, OnInconclusive, Strategy
from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.analysis.objectives import alpha
from modelyard.core.analysis.statistics.burst_laws import HISTORY
from modelyard.core.analysis.statistics.bursts import EVEN
from modelyard.core.analysis.statistics.sequential_test import AnalysisState, Rule, RuleVerdict, Window, update, verdict
from modelyard.core.analysis.statistics.simulation import TrafficModel, windows
from tests.support.objects.refusals import SOURCE
from tests.support.traffic.burst_grid import MINUTES, failures

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "platform" / "docs" / "rollouts.md").read_text()
CORE = "\n".join(file.read_text() for file in (ROOT / "platform" / "src" / "modelyard" / "core").rglob("*.py"))
BOTH = {"latency": {"percentile": 99, "threshold": "100ms"}, "errorRate": "1%"}
ALPHA = alpha(ModelSpec.model_validate({"source": SOURCE, "slo": BOTH}))
RUNS = 24


def rows(title: str) -> list[list[str]]:
    """The rows below the head of the first table whose head begins with `title`."""
    lines = PAGE.splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(f"| {title} |"))
    found = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def words(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def numbers(row: list[str]) -> tuple[float, list[int]]:
    """The allowed share of a row of the table of requests, and its numbers."""
    return float(row[0].removesuffix(" %")) / 100, [int(cell.replace(",", "")) for cell in row[1:]]


def requests_to_decide(allowed: float, rate: float, stable: float, wanted: RuleVerdict) -> float:
    """Median of the candidate's requests until a decision, of the rollouts that ended as wanted."""
    rule, chance, found = Rule(allowed, ALPHA, max_regression=0.25), random.Random(1), []
    for _ in range(RUNS):
        state = AnalysisState(evenness=2 * EVEN, history=((100, 1),) * HISTORY)
        for window in windows(TrafficModel(60 * 0.02 / allowed / 0.25, rate, 0.25, stable), chance):
            state = update(rule, state, window)
            if verdict(rule, state) is not RuleVerdict.INCONCLUSIVE:
                break
        if verdict(rule, state) is wanted:
            found.append(state.requests)
    assert len(found) > RUNS / 2
    return median(found)


def test_every_strategy_phase_outcome_and_command_is_explained() -> None:
    assert [words(row[0]) for row in rows("strategy")] == [[one.value] for one in Strategy]
    assert {word for row in rows("phase") for word in row[0].split(", ")} == {one.value for one in Phase}
    assert {row[0] for row in rows("outcome")} == {one.value for one in Outcome}
    assert {word for row in rows("command") for word in words(row[0])} == {one.value for one in Action}
    assert all(f"`{one.value}`" in PAGE or f"onInconclusive: {one.value}`" in PAGE for one in OnInconclusive)


@pytest.mark.parametrize("row", rows("strategy"), ids=lambda row: row[0].strip("`"))
def test_a_strategy_has_the_fields_that_are_named_beside_it(row: list[str]) -> None:
    strategy = Strategy(words(row[0])[0])
    everywhere = {"max_duration", "max_regression", "abort_scale_down_delay", "on_inconclusive"}

    named = {re.sub("([A-Z])", r"_\1", word).lower() for word in words(row[2])}

    assert named - everywhere <= {field for field, fits in FITS.items() if strategy in fits}


def test_every_reason_on_the_page_is_a_reason_of_the_code() -> None:
    gates = {f"{gate.capitalize()}GateFailed" for gate in ("errors", "latency", "health")}
    named = {word for row in rows("reason in Holding") for word in words(row[0])}
    named |= {word for row in rows("outcome") for word in words(row[1])}

    assert len(named) > 15
    assert {word for word in named - gates if f'"{word}"' not in CORE} == set()


@pytest.mark.parametrize("row", rows("allowed"), ids=lambda row: row[0])
def test_so_many_bad_requests_in_a_row_end_a_rollout(row: list[str]) -> None:
    allowed, (*_, all_bad) = numbers(row)
    rule = Rule(allowed, ALPHA, max_regression=0.25)

    def failed(bad: int) -> bool:
        known = AnalysisState(evenness=2 * EVEN, history=((100, 1),) * HISTORY)
        return verdict(rule, update(rule, known, Window(60, bad, bad, 4 * bad, 0))) is RuleVerdict.FAIL

    assert failed(all_bad)
    assert not failed(all_bad - 1)


@pytest.mark.parametrize("row", [row for row in rows("allowed") if row[0] != "0.1 %"], ids=lambda row: row[0])
def test_it_takes_about_so_many_requests_to_decide(row: list[str]) -> None:
    p0, (none, fifth, half, twice, five, *_) = numbers(row)

    def about(wanted: float) -> object:
        return pytest.approx(wanted, rel=0.3)

    assert requests_to_decide(p0, 0.0, 0.0, RuleVerdict.PASS) == about(none)
    assert requests_to_decide(p0, p0 / 5, p0 / 5, RuleVerdict.PASS) == about(fifth)
    assert requests_to_decide(p0, p0 / 2, p0 / 2, RuleVerdict.PASS) == about(half)
    assert requests_to_decide(p0, 2 * p0, p0 / 5, RuleVerdict.FAIL) == about(twice)
    assert requests_to_decide(p0, 5 * p0, p0 / 5, RuleVerdict.FAIL) == about(five)


UNKNOWN, CLEAN = "requests a minute to the candidate", "requests a minute, stable without failures"


@pytest.mark.parametrize(
    ("row", "stable", "history"),
    [(row, 0.002, 0) for row in rows(UNKNOWN)] + [(row, 0.0, 10) for row in rows(CLEAN)],
    ids=lambda value: value[0] if isinstance(value, list) else str(value),
)
def test_it_takes_about_so_many_minutes_to_tell_a_failing_candidate_from_a_burst(
    row: list[str], stable: float, history: int
) -> None:
    per_minute, (_, five, twenty, all_bad) = int(row[0].replace(",", "")), [float(cell) for cell in row[1:]]

    def minutes(rate: float) -> float:
        rule = Rule(0.01, ALPHA, max_regression=0.25)
        took = failures(rule, TrafficModel(2 * per_minute, rate, 0.5, stable, history=history), RUNS, 1)
        return median(MINUTES if minute is None else minute for minute in took)

    assert minutes(0.05) == pytest.approx(five, rel=0.3)
    assert minutes(0.2) == pytest.approx(twenty, rel=0.3)
    assert minutes(1.0) == pytest.approx(all_bad, abs=0.05)
