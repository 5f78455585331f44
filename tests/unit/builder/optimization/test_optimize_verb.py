"""`modelyard optimize` as a person runs it: the table, the summary, the files, and what it refuses."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from rich.console import Console
from rich.live import Live
from rich.text import Text
from sklearn.linear_model import LinearRegression

from modelyard.api.optimization import Optimization
from modelyard.builder.optimization.pass_api import Recipe
from modelyard.builder.optimization.trials.trial import Trial
from modelyard.cli.artifacts.optimize import duration, precisions_of
from modelyard.cli.artifacts.optimize_view import Board, summary
from tests.support.machine.command_line import modelyard
from tests.unit.builder.optimization.classifier import a_file
from tests.unit.builder.optimization.report.test_page import a_report


def test_a_file_is_optimized_without_any_loss_and_the_chosen_model_lies_there(tmp_path: Path) -> None:
    path = a_file(tmp_path / "model.onnx")

    ran = modelyard(
        "optimize", path, "--goal", "size", "--budget", "40s", "--precisions", "fp32", "--out", "out", cwd=tmp_path
    )

    assert ran.code == 0, ran.err
    assert "note   There is no evaluation set" in ran.out
    assert "report out/report.html" in ran.out
    assert "original: answers" in ran.err
    report = Optimization.model_validate_json((tmp_path / "out" / "report.json").read_text())
    assert {variant.precision for variant in report.variants} <= {"fp32", ""}
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"report.html", "chosen"}
    assert not list((tmp_path / "out").glob(".variants-*"))


def test_scripts_read_the_report_from_stdout(tmp_path: Path) -> None:
    path = a_file(tmp_path / "model.onnx")

    ran = modelyard(
        "optimize", path, "--goal", "size", "--budget", "40s", "--precisions", "bf16", "--runtime", "onnxruntime",
        "-o", "json", cwd=tmp_path,
    )  # fmt: skip

    said = json.loads(ran.out)
    assert (said["chosen"]["name"], said["baseline"], said["maxQualityLoss"]) == ("original", "original", 0.01)
    assert (tmp_path / "optimized" / "chosen" / "model.onnx").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "there is no"),
        (["model.onnx", "--precisions", "fp33"], "'fp33' is no precision"),
        (["model.onnx", "--max-quality-loss", "much"], "write 1% or 0.01"),
        (["model.onnx", "--budget", "soon"], "write 90s, 10m or 1h"),
        (["damaged.onnx"], "cannot be read as ONNX"),
    ],
    ids=["no path", "precision", "loss", "budget", "damaged"],
)
def test_what_cannot_be_is_refused_in_a_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    a_file(tmp_path / "model.onnx")
    (tmp_path / "damaged.onnx").write_bytes(b"not a model")

    ran = modelyard("optimize", *arguments, cwd=tmp_path)

    assert ran.code == 2
    assert not (tmp_path / "optimized").exists()
    assert sentence in " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400)])
def test_durations_are_written_with_their_unit(text: str, seconds: float) -> None:
    assert duration(text) == seconds


def test_precisions_are_named_once_in_the_order_given() -> None:
    assert [one.value for one in precisions_of("int8, FP32,int8")] == ["int8", "fp32"]


@pytest.mark.parametrize(("parse", "text"), [(duration, "0s"), (duration, "10"), (precisions_of, " , ")])
def test_nothing_is_guessed(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(Exception, match=r"write 90s|is no precision"):
        parse(text)


def test_the_live_table_keeps_to_the_terminal_and_shows_the_latest() -> None:
    console = Console(width=70, height=8, file=StringIO(), force_terminal=True)
    board = Board(Live(console=console, auto_refresh=False))
    board.planned([f"v{number}" for number in range(9)])

    for number in range(8):
        board.tried(Trial(Recipe(f"v{number}", ()), refused="a reason that is much too long " * 5))
    board.trying("v8")

    with console.capture() as shown:
        console.print(board.live.get_renderable())
    lines = [Text.from_ansi(line).plain for line in shown.get().splitlines()]
    assert len(lines) <= 8
    assert max(len(line) for line in lines) <= 70
    assert [line.split()[0] for line in lines[1:-1]] == ["v5", "v6", "v7", "v8"]
    assert lines[-1].endswith("trying v8, 1 to go")


def test_the_summary_says_what_is_won_and_what_it_costs() -> None:
    said = summary(a_report())

    assert said[0] == (
        "[bold green]digits:2 as int8-static[/]: 4.00 times as fast (0.25 ms instead of 1 ms at batch 1), "
        "27% of the size (11 kB instead of 40 kB)."
    )
    assert said[1] == "  accuracy 0.9 instead of 0.9 on 450 rows: 0.4 % lost, 1 % allowed."


def test_the_summary_begins_with_what_was_asked_for() -> None:
    assert summary(a_report(goal="size"))[0].startswith("[bold green]digits:2 as int8-static[/]: 27% of the size")
    assert ": 4.00 times the throughput (100 rows/s" in summary(a_report(goal="throughput"))[0]


def test_the_summary_of_an_unchanged_model_is_its_reason() -> None:
    chosen = {"name": "original", "reason": "the original stays: why."}

    assert summary(a_report().model_copy(update={"chosen": a_report().chosen.model_copy(update=chosen)})) == [
        "[bold]digits:2[/]: the original stays: why."
    ]


def test_a_pickle_is_converted_when_it_is_trusted_as_the_refusal_says(tmp_path: Path) -> None:
    rows = np.eye(4, dtype=np.float32)
    joblib.dump(LinearRegression().fit(rows, rows @ np.ones(4)), tmp_path / "m.joblib")
    np.savez(tmp_path / "rows.npz", input=rows)
    asking = ("optimize", tmp_path / "m.joblib", "--budget", "1s", "--precisions", "fp32", "--sample", "rows.npz")

    refused = modelyard(*asking, cwd=tmp_path)
    ran = modelyard(*asking, "--trust-pickle", cwd=tmp_path)

    assert refused.code == 2
    assert "add --trust-pickle" in refused.err
    assert "reading and asking the original" in ran.err
