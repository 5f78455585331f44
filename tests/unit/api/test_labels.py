"""What a body of labels may hold, and what is said of each that it may not."""

import json
from typing import Any

import pytest

from modelyard.api.monitoring.labels import MOST_LABELS, AnswerLabel, given_labels

NOON = 1_764_417_600.0


@pytest.mark.parametrize(
    ("value", "kept"),
    [(1, "1"), (1.0, "1"), (True, "1"), (False, "0"), (-2.5, "-2.5"), (1e30, None), (" cat ", "cat"), ("01", "01")],
)
def test_a_label_is_kept_as_text_and_equal_numbers_are_equal(value: Any, kept: str | None) -> None:
    body = {"requestId": "r1", "label": value}
    if kept is None:
        with pytest.raises(ValueError, match="write a number, true, false or a text"):
            given_labels(body, "loans", NOON)
    else:
        assert given_labels(body, "loans", NOON) == [AnswerLabel("r1", 0, "", kept, NOON, NOON)]


def test_several_outputs_and_a_time_of_their_own() -> None:
    body = [
        {"request_id": "r1", "row": 3, "labels": {"price": 2.5, "kind": "cat"}, "time": "2025-11-29T12:00:00"},
        {"requestId": "r2", "label": "dog", "time": NOON - 60, "model": "loans"},
    ]
    assert given_labels(body, "loans", NOON + 9) == [
        AnswerLabel("r1", 3, "price", "2.5", NOON, NOON + 9),
        AnswerLabel("r1", 3, "kind", "cat", NOON, NOON + 9),
        AnswerLabel("r2", 0, "", "dog", NOON - 60, NOON + 9),
    ]


WRONG: dict[str, tuple[Any, str]] = {
    "nothing": ([], "at least 1 item"),
    "a number": (7, "valid dictionary"),
    "null": (None, "valid dictionary"),
    "no request": ({"label": 1}, "requestId"),
    "an empty id": ({"requestId": "", "label": 1}, "pattern"),
    "an id of 129 characters": ({"requestId": "x" * 129, "label": 1}, "pattern"),
    "an id with a line": ({"requestId": "a\nb", "label": 1}, "pattern"),
    "an id that is a number": ({"requestId": 7, "label": 1}, "valid string"),
    "no label": ({"requestId": "r"}, "write either label, or labels"),
    "both": ({"requestId": "r", "label": 1, "labels": {"y": 1}}, "write either label, or labels"),
    "a label that is null": ({"requestId": "r", "label": None}, "write either label, or labels"),
    "NaN": ({"requestId": "r", "label": float("nan")}, "leave out rows whose label is not known"),
    "infinity": ({"requestId": "r", "label": float("inf")}, "leave out rows whose label is not known"),
    "an endless number": ({"requestId": "r", "label": 10**400}, "write a number"),
    "an empty text": ({"requestId": "r", "label": "  "}, "write a number"),
    "a text of 257 characters": ({"requestId": "r", "label": "x" * 257}, "write a number"),
    "a text with a zero byte": ({"requestId": "r", "label": "a\0b"}, "write a number"),
    "half a character": ({"requestId": "r", "label": "\ud800"}, "label"),
    "a list": ({"requestId": "r", "label": [1]}, "label"),
    "no output": ({"requestId": "r", "labels": {}}, "at least 1 item"),
    "an output without a name": ({"requestId": "r", "labels": {" ": 1}}, "write outputs' names"),
    "65 outputs": ({"requestId": "r", "labels": {f"y{at}": 1 for at in range(65)}}, "at most 64"),
    "a row before the first": ({"requestId": "r", "row": -1, "label": 1}, "greater than or equal to 0"),
    "half a row": ({"requestId": "r", "row": 0.5, "label": 1}, "valid integer"),
    "a word for a time": ({"requestId": "r", "label": 1, "time": "soon"}, "write seconds since 1970"),
    "a time before 1970": ({"requestId": "r", "label": 1, "time": -1}, "write seconds since 1970"),
    "a time that is none": ({"requestId": "r", "label": 1, "time": float("nan")}, "write seconds since 1970"),
    "tomorrow": ({"requestId": "r", "label": 1, "time": NOON + 86_400}, "item 0 was known in the future"),
    "another Model's": ({"requestId": "r", "label": 1, "model": "cars"}, "a label for the Model cars"),
    "a field that nobody knows": ({"requestId": "r", "label": 1, "weight": 2}, "Extra inputs"),
    "too many": ([{"requestId": "r", "label": 1}] * (MOST_LABELS + 1), "at most 10000 items"),
}


@pytest.mark.parametrize(("body", "told"), WRONG.values(), ids=WRONG.keys())
def test_of_a_body_with_a_fault_nothing_is_taken_and_the_fault_is_named(body: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        given_labels(body, "loans", NOON)


def test_a_numbers_time_may_be_written_in_json_as_any_number() -> None:
    [label] = given_labels(json.loads('{"requestId": "r", "label": 1, "time": 1}'), "loans", NOON)
    assert label.time == 1.0
