from typing import Any

import numpy as np
import pytest

from modelyard.recorder.redaction import Redaction, hashed, hashes, hashes_of_text, model_key

KEY = model_key(b"secret", "demo", "loans")
ROW = {"age": np.array([31]), "job": np.array(["baker"], object), "x[0]": np.array([1]), "image.norm": np.array([2.0])}


def kept(columns: set[str], redacted: set[str] = frozenset()) -> dict[str, list[object]]:  # pyright: ignore
    found = Redaction(frozenset(columns), frozenset(redacted), KEY).kept(ROW)
    return {name: values.tolist() for name, values in found.items()}


def test_nothing_is_kept_that_is_not_named() -> None:
    assert kept(set()) == {}
    assert kept({"age"}) == {"age": [31]}


def test_a_tensors_name_stands_for_its_columns() -> None:
    assert kept({"x", "image"}) == {"x[0]": [1], "image.norm": [2.0]}


def test_all_but_what_is_redacted() -> None:
    found = kept({"*"}, {"job"})
    assert set(found) == set(ROW)
    assert found["job"] == [hashed("baker", KEY)]


def test_what_is_redacted_is_never_kept_as_it_is_whatever_else_names_it() -> None:
    assert kept({"*", "job", "x"}, {"job", "x"})["job"] == [hashed("baker", KEY)]
    assert kept({"*", "x[0]"}, {"x"})["x[0]"] == [hashed(1, KEY)]


def test_the_same_value_has_the_same_hash_in_one_model_and_another_in_the_next() -> None:
    assert hashed("baker", KEY) == hashed("baker", KEY)
    assert hashed("baker", KEY) != hashed("baker", model_key(b"secret", "demo", "other"))
    assert hashed("baker", KEY) != hashed("baker", model_key(b"other", "demo", "loans"))
    assert "baker" not in hashed("baker", KEY)
    assert len(hashed("baker", KEY)) == 32


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (np.float32(4711), "4711"),
        (np.float64(4711), "4711.0"),
        (np.float16(12), "12"),
        (np.float32(0.1), "0.1"),
        (np.float64(0.1), "0.1"),
        (np.int64(4711), "4711"),
        (np.int64(4711), "4711.0"),
        (np.bool_(1), "true"),
        (np.float64(1e300), "1e300"),
        ("4711", "4711"),
        ("nan", "nan"),
        ("Ada", "Ada"),
    ],
    ids=str,
)
def test_a_value_is_found_by_its_hash_however_a_person_writes_it(value: Any, written: str) -> None:
    assert hashes(np.array([value]), KEY)[0] in hashes_of_text(written, KEY)


@pytest.mark.parametrize(
    ("answer", "label"),
    [(np.float32(1), "1"), (np.int64(1), "1"), (np.bool_(1), "1"), (np.float32(0.1), "0.1"), ("cat", "cat")],
    ids=str,
)
def test_a_hidden_answer_has_the_hash_of_its_label(answer: Any, label: str) -> None:
    redaction = Redaction(frozenset(), frozenset({"y"}), KEY)
    assert redaction.kept({"y": np.array([answer])})["y"].tolist() == [redaction.text("y", label)]


def test_another_value_is_not_found() -> None:
    assert hashed("4712", KEY) not in hashes_of_text("4711", KEY)
    assert hashed("1", KEY) not in hashes_of_text("Ada", KEY)
