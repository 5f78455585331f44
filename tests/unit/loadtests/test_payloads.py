"""What is sent: from files, from the store, made up; by every protocol the same values."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from loadtests.options import Options
from loadtests.payloads import MOST_BYTES, RequestInputs, bounded, encoded, request_feed
from modelyard.builder.artifacts.recorded_requests import warmup_inputs
from modelyard.errors import InvalidSettings
from tests.support.cluster.locust import REQUEST
from tests.unit.loadtests.test_options import given

TENSORS: list[dict[str, Any]] = [
    {"name": "x", "datatype": "FP32", "shape": [1, 2], "low": -2, "high": 3},
    {"name": "age", "datatype": "INT8", "shape": [1], "low": 18, "high": 99},
    {"name": "smokes", "datatype": "BOOL", "shape": [1]},
    {"name": "word", "datatype": "BYTES", "shape": [1], "values": ["one", "zwei"]},
]


def feeds(folder: Path, **written: Any) -> list[dict[str, Any]]:
    return RequestInputs.model_validate(written).feeds(folder)


def test_made_up_inputs_have_the_types_shapes_and_ranges_that_are_written_down(tmp_path: Path) -> None:
    made = feeds(tmp_path, tensors=TENSORS, count=50)

    assert len(made) == 50
    for feed in made:
        assert (feed["x"].dtype, feed["x"].shape, feed["age"].dtype) == (np.float32, (1, 2), np.int8)
        assert -2 <= feed["x"].min() <= feed["x"].max() <= 3
        assert 18 <= feed["age"][0] <= 99
        assert feed["smokes"].dtype == np.bool_
        assert feed["word"][0] in ("one", "zwei")
    assert len({feed["x"].tobytes() for feed in made}) == 50
    again = feeds(tmp_path, tensors=TENSORS, count=50)
    assert all((one["x"] == other["x"]).all() for one, other in zip(made, again, strict=True)), (
        "two tests send the same"
    )


def test_rows_of_an_evaluation_set_are_requests(tmp_path: Path) -> None:
    x = np.arange(12, dtype="float32").reshape(6, 2)
    np.savez(tmp_path / "eval.npz", **{"input:x": x, "output:y": 2 * x})

    rows = feeds(tmp_path, evaluation="eval.npz", count=4)

    assert [feed["x"].tolist() for feed in rows] == [[[0, 1]], [[2, 3]], [[4, 5]], [[6, 7]]]


def test_recorded_requests_are_read_from_lines_and_from_a_list(tmp_path: Path) -> None:
    body = json.loads('{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}')
    (tmp_path / "lines.jsonl").write_text("\n".join(json.dumps(body) for _ in range(3)))
    (tmp_path / "list.json").write_text(json.dumps([body] * 2))
    (tmp_path / "one.json").write_text(json.dumps(body, indent=1))

    assert [len(feeds(tmp_path, samples=name)) for name in ("lines.jsonl", "list.json", "one.json")] == [3, 2, 1]


def test_every_protocol_carries_the_same_values(tmp_path: Path) -> None:
    made = feeds(tmp_path, tensors=TENSORS, count=3)

    for feed, (text, plain), (raw, headers), message in zip(
        made, *(encoded(protocol, "double", made) for protocol in ("http", "binary", "grpc")), strict=True
    ):
        assert plain == {"Content-Type": "application/json"}
        assert int(headers["Inference-Header-Content-Length"]) < len(raw)
        for read in (warmup_inputs(text), warmup_inputs(raw)):
            assert {name: value.tolist() for name, value in read.items()} == {n: v.tolist() for n, v in feed.items()}
        assert [tensor.name for tensor in message.inputs] == [tensor["name"] for tensor in TENSORS]
        assert message.raw_input_contents[0] == feed["x"].tobytes()


def test_what_a_file_holds_goes_out_over_http_as_it_is() -> None:
    [(body, _)] = encoded("http", "double", [request_feed(REQUEST, "a file")], REQUEST)

    assert body == REQUEST


def test_inputs_too_large_to_keep_are_left_out_but_for_the_first() -> None:
    large = {"x": np.zeros(MOST_BYTES // 4, "uint8")}

    assert len(bounded([large] * 9)) == 4
    assert len(bounded([{"x": np.zeros(MOST_BYTES + 1, "uint8")}] * 2)) == 1


def test_only_the_protocols_that_are_used_are_encoded(tmp_path: Path) -> None:
    options: Options = given(tmp_path, "--grpc-share", "0.25", "--binary-share", "0.75")

    assert set(options.requests) == {"binary", "grpc"}
    assert options.protocols == ("binary", "grpc")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "write one of evaluation, tensors and samples"),
        ({"evaluation": "a.npz", "samples": "b.json"}, "write one of"),
        ({"tensors": [{**TENSORS[0], "shape": [0]}]}, "dimensions of 1 or more"),
        ({"tensors": [{**TENSORS[0], "shape": [9999, 9999]}]}, "at most two million elements"),
        ({"tensors": [{**TENSORS[0], "low": 4}]}, "low is at most high"),
        ({"tensors": [{**TENSORS[1], "high": 300}]}, "INT8 can hold both"),
        ({"tensors": [{**TENSORS[1], "values": [1, 300]}]}, "every value"),
        ({"tensors": [{**TENSORS[0], "datatype": "BF8"}]}, "datatype"),
        ({"tensors": [{**TENSORS[0], "values": ["one"]}]}, "values of FP32 are numbers"),
        ({"tensors": [{**TENSORS[3], "values": []}]}, "words cannot be made up"),
        ({"tensors": TENSORS, "count": 0}, "count"),
    ],
)
def test_inputs_that_cannot_be_made_are_refused_with_the_reason(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        RequestInputs.model_validate(written)


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        ("evaluation", "none.npz", b"", "there is no file"),
        ("evaluation", "words.npz", b"no archive", "is no eval.npz"),
        ("samples", "bytes.json", b"\xff\xfe", "no text in UTF-8"),
        ("samples", "empty.jsonl", b"\n", "holds no request"),
        ("samples", "half.jsonl", b'{"inputs": []}\n{"inpu', "number 2 is no inference request"),
    ],
)
def test_files_that_hold_no_requests_are_refused(
    tmp_path: Path, kind: str, name: str, content: bytes, said: str
) -> None:
    if content:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidSettings, match=said):
        feeds(tmp_path, **{kind: name})


def test_rows_that_do_not_belong_together_are_no_requests(tmp_path: Path) -> None:
    np.savez(tmp_path / "eval.npz", **{"input:x": np.zeros((6, 2)), "input:z": np.zeros((5, 2))})

    with pytest.raises(InvalidSettings, match="different numbers of rows"):
        feeds(tmp_path, evaluation="eval.npz")
