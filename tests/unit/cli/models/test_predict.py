"""`modelyard predict` from the file to the printed answer, against a server on real sockets."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from modelyard.cli.models.predict import plain, predict
from modelyard.cli.terminal.console import Output, dump
from modelyard.clients.inference.predictions import Prediction
from tests.support.servers import inference_server

app = typer.Typer(add_completion=False)
app.command()(predict)


@pytest.fixture(scope="module")
def served():
    with inference_server.running() as addresses:
        yield addresses


@pytest.fixture
def ask(served, tmp_path, monkeypatch):
    file = tmp_path / "in.json"
    file.write_text(json.dumps({"x": [[1, 2], [3, 4]], "word": ["one", "two"]}))
    monkeypatch.setenv("MODELYARD_GATEWAY_PUBLIC_URL", served.http)

    def run(*options):
        result = CliRunner().invoke(
            app, ["double", "--input", str(file), "-n", "demo", *options], env={"COLUMNS": "120"}
        )
        assert result.exit_code == 0, result.output
        return result.output

    return run


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_answer_as_json_has_names_datatypes_shapes_and_data(ask, served, monkeypatch, protocol):
    monkeypatch.setenv("MODELYARD_GATEWAY_PUBLIC_URL", getattr(served, protocol))

    said = json.loads(ask("-o", "json", *(["--grpc"] if protocol == "grpc" else [])))

    assert said == {
        "model": "double",
        "revision": "double-a",
        "outputs": [
            {"name": "y", "datatype": "FP32", "shape": [2, 2], "data": [[2, 4], [6, 8]]},
            {"name": "word", "datatype": "BYTES", "shape": [2], "data": ["one", "two"]},
        ],
    }


def test_the_answer_as_a_table_has_a_line_for_every_row_and_names_the_largest_score(ask):
    lines = [line.split() for line in ask().splitlines()]

    assert lines[1] == ["y", "0", "2", "4", "1"]
    assert lines[4] == ["word", "1", "two", "-"]
    assert lines[5] == ["answered", "by", "revision", "double-a"]


def test_only_the_first_rows_are_sent_when_asked_so(ask):
    assert json.loads(ask("-o", "json", "--first", "1"))["outputs"][0]["data"] == [[2, 4]]


def test_a_revision_can_be_asked_whatever_traffic_it_gets(ask):
    assert json.loads(ask("-o", "json", "--revision", "double-b"))["revision"] == "double-b"


def test_a_long_row_is_cut_and_says_so():
    from modelyard.cli.models.predict import _values

    assert _values(np.arange(100)) == "0 1 2 3 4 5 6 7 … (100 in all)"


def test_json_has_text_where_a_number_is_none(capsys):
    dump(plain("m", Prediction({"y": np.array([np.nan, np.inf, -np.inf, 1], "float32")}, "")), Output.JSON)

    def refuse(word):
        raise AssertionError(f"{word} is not JSON")

    said = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert said["outputs"][0]["data"] == ["NaN", "Infinity", "-Infinity", 1.0]
