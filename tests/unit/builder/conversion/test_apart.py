"""A pickle is read in a process of its own, which has no keys: what it runs, prints or ends stays there."""

import os
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from modelyard.builder.conversion.apart import convert_apart
from modelyard.errors import HostFailure, InvalidEntry, InvalidInput, UnsupportedModel
from tests.support.machine.command_line import modelyard_here

ROWS = np.random.default_rng(0).normal(size=(40, 3))
KEYS = {
    "MODELYARD_STORE_SECRET_ACCESS_KEY": "one", "AWS_SECRET_ACCESS_KEY": "two", "MLFLOW_TRACKING_PASSWORD": "three",
    "WANDB_API_KEY": "four", "GITHUB_TOKEN": "five",
}  # fmt: skip


class TellsItsEnvironment:
    """Writes what its reader's environment holds to the file that is named, and then is no model."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        program = (
            f"open({str(self.path)!r}, 'w').write(repr((__import__('os').getpid(), dict(__import__('os').environ))))"
        )
        return eval, (program,)


class Ends:
    """Ends its reader in a way of its own."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, self.arguments


def test_a_pickle_meets_no_keys_and_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANG", "C.UTF-8")
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(TellsItsEnvironment(tmp_path / "told")))

    with pytest.raises(UnsupportedModel, match=r"m\.pkl holds a int, not a fitted scikit-learn model"):
        convert_apart(tmp_path / "m.pkl", tmp_path / "m.onnx")

    reader, environment = eval((tmp_path / "told").read_text())
    assert reader != os.getpid()
    assert environment.keys() & KEYS.keys() == set()
    assert environment["LANG"] == "C.UTF-8"


def test_the_verb_reads_it_there_too(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(TellsItsEnvironment(tmp_path / "told")))

    ran = modelyard_here("build", "m.pkl", "--trust-pickle", cwd=tmp_path, **KEYS)

    assert ran.code == 2
    assert eval((tmp_path / "told").read_text())[1].keys() & KEYS.keys() == set()


def test_its_proof_comes_back(tmp_path: Path) -> None:
    joblib.dump(LinearRegression().fit(ROWS, ROWS @ [1.0, 2.0, 3.0]), tmp_path / "m.joblib")
    np.savez(tmp_path / "rows.npz", input=ROWS)

    proof = convert_apart(tmp_path / "m.joblib", tmp_path / "m.onnx", sample=tmp_path / "rows.npz")

    assert str(proof) == (
        "converted in single precision: 100.00% of 40 rows (rows.npz) are answered as by LinearRegression"
    )
    assert (tmp_path / "m.onnx").is_file()


def test_a_mistake_keeps_its_kind_and_its_words(tmp_path: Path) -> None:
    joblib.dump(LinearRegression().fit(ROWS, ROWS @ [1.0, 2.0, 3.0]), tmp_path / "m.joblib")

    with pytest.raises(InvalidInput, match="does not tell in which ranges it was fitted"):
        convert_apart(tmp_path / "m.joblib", tmp_path / "m.onnx")


@pytest.mark.parametrize("code", [0, 3])
def test_one_that_ends_its_reader_without_a_word_is_the_files_fault(code: int, tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Ends(os._exit, code)))

    with pytest.raises(InvalidEntry, match=r"m\.pkl ends the program that works with it .* save the fitted model"):
        convert_apart(tmp_path / "m.pkl", tmp_path / "m.onnx")


def test_one_whose_reader_was_killed_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Ends(eval, "__import__('os').kill(__import__('os').getpid(), 9)")))

    with pytest.raises(HostFailure, match=r"the conversion of m\.pkl ran out of memory \(SIGKILL\)"):
        convert_apart(tmp_path / "m.pkl", tmp_path / "m.onnx")
