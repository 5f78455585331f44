"""Models in skops' files: read without trust as long as they hold nothing that could run."""

import pickle
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops import io

from modelyard.builder.artifacts.staging import Naming, stage_entry
from modelyard.builder.conversion.estimator_file import read_estimator
from modelyard.errors import InvalidEntry
from modelyard.registry.folder import read_folder

X, Y = load_iris(return_X_y=True)


class Own(LogisticRegression):
    """Nothing that skops knows."""


def test_a_model_is_converted_without_trust(tmp_path: Path) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
    io.dump(model, tmp_path / "iris.skops")

    folder = stage_entry(tmp_path / "iris.skops", tmp_path / "scratch", Naming(version="1"))

    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(None, {"input": X.astype(np.float32)})[0].tolist() == model.predict(X).tolist()
    assert read_folder(folder).entry.metadata.framework == "scikit-learn"


def test_what_may_run_code_has_to_be_trusted_and_is_named(tmp_path: Path) -> None:
    io.dump(Own().fit(X, Y), tmp_path / "own.skops")

    with pytest.raises(InvalidEntry, match=r"own\.skops holds .*Own, which may run code .* add --trust-pickle"):
        stage_entry(tmp_path / "own.skops", tmp_path / "scratch", Naming(version="1"))

    assert isinstance(read_estimator(tmp_path / "own.skops", trusted=True), Own)


def test_a_pickle_under_its_name_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "m.skops").write_bytes(pickle.dumps(LogisticRegression().fit(X, Y)))

    with pytest.raises(InvalidEntry, match=r"m\.skops cannot be read as skops"):
        read_estimator(tmp_path / "m.skops", trusted=False)
