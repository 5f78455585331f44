"""What a person has becomes an entry: lone files, and scikit-learn models that are trusted in so many words."""

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime as ort
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from modelyard.builder.artifacts.staging import Naming, stage, stage_entry, try_entry
from modelyard.errors import InvalidEntry, UnsupportedModel
from modelyard.registry.folder import read_folder
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts.entries import an_entry

ROWS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
TRUSTED = Naming(name="toy", version="1", trust_pickle=True)


def dumped(estimator: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    joblib.dump(estimator, path)
    return path


def predictions(model: Path) -> Any:
    return ort.InferenceSession(str(model), providers=["CPUExecutionProvider"]).run(None, {"input": ROWS})


def test_an_entry_folder_is_pushed_as_it_is(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")

    assert stage_entry(folder, tmp_path / "scratch", Naming()) == folder


def test_a_version_that_yaml_changes_is_refused_before_it_stays_for_ever(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    described = folder / "modelyard.yaml"
    described.write_text(described.read_text().replace("version: '1'", "version: 010"))

    with pytest.raises(InvalidEntry, match="version 010 is another number in YAML; put it in quotes"):
        stage_entry(folder, tmp_path / "scratch", Naming())


def test_a_metric_needs_what_it_is_measured_on(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy", evaluation={"metric": "accuracy", "bound": 0.9})

    with pytest.raises(InvalidEntry, match=r"asks for accuracy on eval\.npz, and there is none; add it, or leave"):
        stage_entry(folder, tmp_path / "scratch", Naming())


def test_a_lone_file_becomes_an_entry_with_its_weights(tmp_path: Path) -> None:
    path = models.saved(models.with_external_weights("w/w.bin"), tmp_path / "toy.onnx")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "w.bin").write_bytes(bytes(12))

    entry = read_folder(stage_entry(path, tmp_path / "scratch", Naming(version="3"))).entry

    assert (entry.name, entry.version) == ("toy", "3")
    assert [file.path for file in entry.files] == ["model.onnx", "modelyard.yaml", "w/w.bin"]


def test_a_lone_file_needs_a_version_and_a_usable_name(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "My Model.onnx")

    with pytest.raises(InvalidEntry, match=r"say which version .* --version 1"):
        stage_entry(path, tmp_path / "a", Naming())
    with pytest.raises(InvalidEntry, match="name is not usable"):
        stage_entry(path, tmp_path / "b", Naming(version="1"))


def test_the_name_of_a_folder_is_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match="change them there"):
        stage_entry(an_entry(tmp_path / "toy"), tmp_path, Naming(version="2"))
    with pytest.raises(InvalidEntry, match=r"has no modelyard\.yaml"):
        stage_entry(models.saved(models.doubling(), tmp_path / "bare" / "model.onnx").parent, tmp_path, Naming())
    with pytest.raises(InvalidEntry, match=r"neither an entry folder nor a model \(\.onnx, \.joblib, .*a SavedModel\)"):
        stage_entry(tmp_path / "missing", tmp_path, Naming())


def test_an_evaluation_set_that_does_not_fit_stops_a_push(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy", arrays={"input:x": np.ones((2, 9)), "output:y": np.ones((2, 3))})

    with pytest.raises(InvalidEntry, match=r"eval\.npz: input:x has shape \[2, 9\]"):
        stage_entry(folder, tmp_path / "scratch", Naming())


def test_a_trusted_classifier_is_converted_and_answers_the_same(tmp_path: Path) -> None:
    forest = RandomForestClassifier(5, random_state=0).fit(ROWS, np.where(ROWS[:, 0] > 0, "yes", "no"))
    path = dumped(make_pipeline(StandardScaler(), forest).fit(ROWS, np.where(ROWS[:, 0] > 0, "yes", "no")),
                  tmp_path / "f.joblib")  # fmt: skip

    folder = stage_entry(path, tmp_path / "scratch", TRUSTED)

    original = joblib.load(path)
    labels, probabilities = predictions(folder / "model.onnx")
    assert (labels == original.predict(ROWS)).mean() > 0.95
    assert probabilities.shape == (60, 2)
    assert read_folder(folder).entry.metadata.framework == "scikit-learn"


def test_an_entry_folder_may_hold_the_pickle_instead_of_the_model(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy", framework="scikit-learn")
    (folder / "model.onnx").unlink()
    dumped(LinearRegression().fit(ROWS, ROWS @ np.ones(4)), folder / "model.joblib")
    np.savez(tmp_path / "rows.npz", input=ROWS)

    staged = stage_entry(folder, tmp_path / "scratch", Naming(trust_pickle=True, sample=tmp_path / "rows.npz"))

    assert np.allclose(predictions(staged / "model.onnx")[0].ravel(), ROWS @ np.ones(4), atol=1e-3)
    assert [file.path for file in read_folder(staged).entry.files] == ["model.onnx", "modelyard.yaml"]


class Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("sprung"),)


@pytest.mark.parametrize("inside", [True, False], ids=["in a folder", "alone"])
def test_a_pickle_that_is_not_trusted_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = an_entry(tmp_path / "toy")
    (folder / "model.onnx").unlink()
    (folder / "model.joblib").write_bytes(pickle.dumps(Trap()))

    with pytest.raises(InvalidEntry, match="runs code when it is read; add --trust-pickle"):
        stage(folder if inside else folder / "model.joblib", tmp_path / "scratch", Naming())

    assert not (tmp_path / "sprung").exists()


def test_what_cannot_be_converted_says_why(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    nonsense = tmp_path / "nonsense.joblib"
    nonsense.write_text("x")
    strange = make_pipeline(FunctionTransformer(np.sin), LinearRegression()).fit(ROWS, ROWS[:, 0])

    with pytest.raises(InvalidEntry, match="cannot be read as a joblib file"):
        stage(nonsense, tmp_path / "scratch", TRUSTED)
    with pytest.raises(UnsupportedModel, match="holds a dict, not a fitted scikit-learn model"):
        stage(dumped({"a": 1}, tmp_path / "d.joblib"), tmp_path / "scratch", TRUSTED)
    with pytest.raises(UnsupportedModel, match="skl2onnx cannot convert the Pipeline"):
        stage(dumped(strange, tmp_path / "p.joblib"), tmp_path / "scratch", TRUSTED)


def test_a_pickle_is_staged_whatever_its_ending_with_the_evaluation_set_beside_it(tmp_path: Path) -> None:
    model = LinearRegression().fit(ROWS, ROWS @ np.ones(4))
    (tmp_path / "lone").mkdir()
    path = tmp_path / "lone" / "toy.pkl"
    path.write_bytes(pickle.dumps(model))
    arrays = {"input:input": ROWS, "output:variable": (ROWS @ np.ones(4, np.float32))[:, None]}
    np.savez(tmp_path / "lone" / "eval.npz", **arrays)

    folder = stage_entry(path, tmp_path / "scratch", TRUSTED)

    assert [file.path for file in read_folder(folder).entry.files] == ["eval.npz", "model.onnx", "modelyard.yaml"]
    try_entry(folder, tmp_path / "tried")


def test_a_folder_holds_one_pickle_and_a_model_beside_one_is_the_model(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    (folder / "words.pkl").write_bytes(pickle.dumps({"a": 1}))
    assert stage(folder, tmp_path / "scratch", Naming()) == folder

    (folder / "model.onnx").unlink()
    (folder / "other.joblib").write_bytes(b"")
    with pytest.raises(InvalidEntry, match=r"several pickled models \(other\.joblib, words\.pkl\); keep the one"):
        stage(folder, tmp_path / "scratch", Naming())


@pytest.mark.parametrize(
    ("arrays", "config", "sentence"),
    [
        ({"input:x": np.ones((2, 3)), "output:y": np.ones((2, 3))}, "", "output 'y' is not what eval.npz expects"),
        (None, 'input { name: "z" data_type: TYPE_FP32 dims: 3 }', "config.pbtxt lists input 'z'"),
        (None, "max_batch_size: many", "config.pbtxt cannot be read"),
    ],
    ids=["another answer", "another input", "no number"],
)
def test_what_the_build_would_refuse_is_refused_before_a_version_is_used_up(
    tmp_path: Path, arrays: dict[str, Any] | None, config: str, sentence: str
) -> None:
    folder = an_entry(tmp_path / "toy", arrays=arrays)
    if config:
        (folder / "config.pbtxt").write_text(config)

    with pytest.raises(InvalidEntry, match=sentence):
        try_entry(folder, tmp_path / "tried")
