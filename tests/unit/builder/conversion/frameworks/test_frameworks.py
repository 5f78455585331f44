"""Files of LightGBM, XGBoost and CatBoost: the ONNX form answers their rows as they do, or they are refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from modelyard.builder.conversion.frameworks.conversion import convert_file
from modelyard.builder.conversion.proof import ConversionProof
from modelyard.errors import InvalidEntry, InvalidInput, UnsupportedModel
from tests.support.frameworks.trained import Trained

COLUMNS = (1, 2, 3)


def converted(model: Path, rows: Path, folder: Path) -> tuple[ConversionProof, Any]:
    proof = convert_file(model, folder / "model.onnx", sample=rows)
    return proof, ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])


def asked(session: Any, rows: Any) -> dict[str, Any]:
    given = session.get_inputs()[0]
    kind = np.float64 if given.type == "tensor(double)" else np.float32
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {given.name: rows.astype(kind)}), strict=True))


def table(path: Path) -> Any:
    return np.genfromtxt(path, delimiter=",", skip_header=1, usecols=COLUMNS)


def assert_alike(said: dict[str, Any], expected: Any) -> None:
    """What a Booster answers is a probability of the second class, one of each class, a class, or a number."""
    if "probabilities" not in said:
        assert np.allclose(said["variable"].ravel(), expected.ravel(), rtol=1e-3, atol=1e-3)
    elif expected.ndim == 2:
        assert np.allclose(said["probabilities"], expected, atol=1e-4)
    elif said["probabilities"].shape[1] == 2:
        assert np.allclose(said["probabilities"][:, 1], expected, atol=1e-4)
    else:
        assert (said["label"] == expected).mean() > 0.99


LIGHTGBM = ("binary", "three", "one_against_all", "number", "root", "quantile", "count", "forest", "forest_of_numbers",
            "categories", "no_gaps")  # fmt: skip


@pytest.mark.parametrize("name", LIGHTGBM)
def test_lightgbm_answers_as_it_did(name: str, lightgbm: Trained, tmp_path: Path) -> None:
    proof, session = converted(lightgbm.folder / f"{name}.txt", lightgbm.rows, tmp_path)

    assert (proof.rows, proof.source, proof.double) == (400, "rows.csv", False)
    assert proof.share >= 0.999
    assert_alike(asked(session, table(lightgbm.rows)), lightgbm.answers[name])


def test_thresholds_that_float32_cannot_tell_apart_are_compared_in_float64(lightgbm: Trained, tmp_path: Path) -> None:
    rows = lightgbm.folder / "seconds.npz"

    proof, session = converted(lightgbm.folder / "seconds.txt", rows, tmp_path)

    assert proof.double
    assert "double precision" in str(proof)
    assert session.get_inputs()[0].type == "tensor(double)"
    with np.load(rows) as given:
        assert_alike(asked(session, given["input"]), lightgbm.answers["seconds"])


XGBOOST = ("binary.ubj", "binary.json", "three.ubj", "classes.ubj", "number.ubj", "count.ubj", "forest.ubj",
           "dropped.ubj", "categories.ubj")  # fmt: skip


@pytest.mark.parametrize("name", XGBOOST)
def test_xgboost_answers_as_it_did(name: str, xgboost: Trained, tmp_path: Path) -> None:
    proof, session = converted(xgboost.folder / name, xgboost.rows, tmp_path)

    assert proof.share >= 0.999
    assert not proof.double
    assert_alike(asked(session, table(xgboost.rows)), xgboost.answers[name])


@pytest.mark.parametrize(("name", "first"), [("words", "label"), ("three", "label"), ("number", "variable")])
def test_catboost_answers_as_it_did(name: str, first: str, catboost: Trained, tmp_path: Path) -> None:
    proof, session = converted(catboost.folder / f"{name}.cbm", catboost.rows, tmp_path)

    said, expected = asked(session, table(catboost.rows)), catboost.answers[name]
    assert proof.share >= 0.999
    assert session.get_outputs()[0].name == first
    if first == "label":
        assert (said["label"].astype(str) == expected).mean() > 0.99
        assert np.allclose(said["probabilities"].sum(axis=1), 1, atol=1e-4)
    else:
        assert np.allclose(said["variable"].ravel(), expected.astype(float), rtol=1e-3)


@pytest.mark.parametrize("framework", ["lightgbm", "xgboost", "catboost"])
def test_a_form_answers_one_row_and_many(framework: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    found: Trained = request.getfixturevalue(framework)
    name = {"lightgbm": "binary.txt", "xgboost": "binary.ubj", "catboost": "words.cbm"}[framework]

    _, session = converted(found.folder / name, found.rows, tmp_path)

    rows = table(found.rows)
    many, one = asked(session, rows), asked(session, rows[7:8])
    assert {output: array.shape[0] for output, array in one.items()} == dict.fromkeys(many, 1)
    assert one["label"][0] == many["label"][7]
    assert np.allclose(one["probabilities"][0], many["probabilities"][7], atol=1e-6)


CANNOT = {
    "linear trees": (
        "lightgbm",
        "linear.txt",
        r"linear\.txt cannot be converted to ONNX: its leaves hold linear models",
    ),
    "zeros for gaps": ("lightgbm", "zeros.txt", "it takes zeros for missing values"),
    "a linear booster": ("xgboost", "linear.ubj", "it is a linear booster"),
    "a hinge": ("xgboost", "hinge.ubj", "its objective 'binary:hinge' has no counterpart"),
    "categories in CatBoost": ("catboost", "categories.cbm", r"takes categories or texts \(code\)"),
}


@pytest.mark.parametrize("what", CANNOT)
def test_what_onnx_cannot_say_is_refused_with_the_reason(
    what: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    framework, name, sentence = CANNOT[what]
    found: Trained = request.getfixturevalue(framework)

    with pytest.raises(UnsupportedModel, match=sentence):
        convert_file(found.folder / name, tmp_path / "model.onnx", sample=found.rows)

    assert not (tmp_path / "model.onnx").exists()


def test_categories_with_values_of_their_own_are_refused(lightgbm: Trained, tmp_path: Path) -> None:
    text = (lightgbm.folder / "categories.txt").read_text()
    (tmp_path / "m.txt").write_text(text.replace("pandas_categorical:null", 'pandas_categorical:[["Lima", "Oslo"]]'))

    with pytest.raises(UnsupportedModel, match=r"has values of its own \(Lima, Oslo, \.\.\.\).*OrdinalEncoder"):
        convert_file(tmp_path / "m.txt", tmp_path / "model.onnx", sample=lightgbm.rows)


def test_nothing_is_converted_without_rows(lightgbm: Trained, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInput, match=r"binary\.txt is converted only with rows to prove it on.*--sample rows\.csv"
    ):
        convert_file(lightgbm.folder / "binary.txt", tmp_path / "model.onnx")
    np.savez(tmp_path / "eval.npz", other=np.ones((3, 3)))
    with pytest.raises(InvalidInput, match="is converted only with rows"):
        convert_file(lightgbm.folder / "binary.txt", tmp_path / "model.onnx", tmp_path / "eval.npz")


def test_the_rows_of_an_evaluation_set_prove_it_too(lightgbm: Trained, tmp_path: Path) -> None:
    np.savez(tmp_path / "eval.npz", **{"input:input": table(lightgbm.rows)})

    proof = convert_file(lightgbm.folder / "binary.txt", tmp_path / "model.onnx", tmp_path / "eval.npz")

    assert (proof.rows, proof.source) == (400, "its eval.npz")


def test_a_sample_without_a_column_is_told_which(lightgbm: Trained, tmp_path: Path) -> None:
    (tmp_path / "few.csv").write_text("age,income\n1,2\n")

    with pytest.raises(InvalidInput, match=r"few\.csv has no column 'code': it has age, income, and the model takes 3"):
        convert_file(lightgbm.folder / "binary.txt", tmp_path / "model.onnx", sample=tmp_path / "few.csv")


@pytest.mark.parametrize("framework", ["lightgbm", "xgboost", "catboost"])
def test_a_file_that_is_cut_short_is_no_model(framework: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    found: Trained = request.getfixturevalue(framework)
    whole = found.folder / {"lightgbm": "binary.txt", "xgboost": "binary.ubj", "catboost": "words.cbm"}[framework]
    cut = tmp_path / whole.name
    cut.write_bytes(whole.read_bytes()[:200])

    with pytest.raises(InvalidEntry, match=rf"{whole.name}.*; write it again"):
        convert_file(cut, tmp_path / "model.onnx", sample=found.rows)
