"""Models of other frameworks as MLflow keeps them, converted by the frameworks themselves when they are brought in."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import yaml

from modelyard.clients.mlflow import MlflowServer, RegisteredModel
from modelyard.errors import InvalidEntry, InvalidSettings, ModelyardError, UnsupportedModel
from modelyard.mlflow_sync.intake import entry_folder
from tests.support.frameworks.estimators import lightgbm_estimators
from tests.support.frameworks.trained import Trained, trained
from tests.support.servers.mlflow.calls import MlflowUser

COLUMNS = ["age", "income", "code"]


@pytest.fixture(scope="module")
def boosted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    return {name: trained(name, tmp_path_factory.mktemp(name)) for name in ("lightgbm", "xgboost", "catboost")}


@pytest.fixture(scope="module")
def estimators(boosted: dict[str, Trained], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lightgbm_estimators(tmp_path_factory.mktemp("estimators"), boosted["lightgbm"].rows)


def logged(flavor: str, options: dict[str, Any], model: Path, **more: bytes) -> dict[str, bytes]:
    """The files of a version, with an input example when there is one."""
    described: dict[str, Any] = {"flavors": {flavor: options, "python_function": {}}}
    if "input_example.json" in more:
        described["saved_input_example_info"] = {"artifact_path": "input_example.json", "type": "dataframe"}
    file = options.get("data") or f"{options['model_data']}/model.pt2"
    return {"MLmodel": yaml.safe_dump(described).encode(), file: model.read_bytes(), **more}


def table(path: Path) -> Any:
    return np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(1, 2, 3))


def example(path: Path) -> bytes:
    data = [[None if np.isnan(value) else value for value in row] for row in table(path)]
    return json.dumps({"columns": COLUMNS, "data": data}).encode()


def taken(
    server: MlflowServer, user: MlflowUser, scratch: Path, files: dict[str, bytes], trust: bool = False, **more: Any
) -> Path:
    version = server.version("toy", user.register("toy", files))
    assert version is not None
    scratch.mkdir(exist_ok=True)
    return entry_folder(server, RegisteredModel("toy"), version, "toy", scratch, trust, **more)


def answers(folder: Path, rows: Any) -> dict[str, Any]:
    session = ort.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"input": rows.astype(np.float32)}), strict=True))


KEPT = {
    "a Booster of LightGBM": ("lightgbm", "binary.txt", "model.lgb"),
    "XGBoost": ("xgboost", "binary.ubj", "model.ubj"),
    "XGBoost before MLflow 3": ("xgboost", "binary.ubj", "model.xgb"),
    "XGBoost's JSON under another name": ("xgboost", "binary.json", "model.xgb"),
    "CatBoost": ("catboost", "words.cbm", "model.cb"),
}


@pytest.mark.parametrize("what", KEPT)
def test_trees_become_onnx_and_are_proved_on_the_input_example(
    what: str, boosted: dict[str, Trained], server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    framework, model, data = KEPT[what]
    found, told = boosted[framework], list[str]()
    files = logged(framework, {"data": data}, found.folder / model, **{"input_example.json": example(found.rows)})

    folder = taken(server, user, tmp_path / "scratch", files, say=told.append)

    described = yaml.safe_load((folder / "modelyard.yaml").read_text())
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "modelyard.yaml"]
    assert (described["framework"], described["mlflow"]["flavor"]) == (framework, framework)
    assert any("100.00% of 400 rows (input_example.csv) are answered as by" in line for line in told)
    said, expected = answers(folder, table(found.rows)), found.answers[model.removesuffix(".txt").removesuffix(".cbm")]
    if framework == "catboost":
        assert (said["label"].astype(str) == expected).mean() > 0.99
    else:
        assert np.allclose(said["probabilities"][:, 1], expected, atol=1e-4)


def test_an_evaluation_set_and_a_sample_prove_it_too(
    boosted: dict[str, Trained], server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    found, told = boosted["lightgbm"], list[str]()
    np.savez(tmp_path / "eval.npz", **{"input:input": table(found.rows).astype(np.float32)})
    bare = logged("lightgbm", {"data": "model.lgb"}, found.folder / "binary.txt")
    judged = {**bare, "eval.npz": (tmp_path / "eval.npz").read_bytes()}

    evaluated = taken(server, user, tmp_path / "evaluated", judged, say=told.append)
    taken(server, user, tmp_path / "sampled", bare, sample=found.rows, say=told.append)

    proofs = [line for line in told if "are answered as by" in line]
    assert "(its eval.npz)" in proofs[0]
    assert "(rows.csv)" in proofs[1]
    assert (evaluated / "eval.npz").is_file()


def test_without_rows_it_is_refused_with_the_ways_to_give_some(
    boosted: dict[str, Trained], server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    files = logged("xgboost", {"data": "model.ubj"}, boosted["xgboost"].folder / "binary.ubj")

    with pytest.raises(InvalidEntry, match=r"converted only with rows .*input_example=X\.head\(400\).*NAME --sample"):
        taken(server, user, tmp_path / "scratch", files)


def test_where_the_framework_cannot_be_had_it_says_where_to_bring_it_in(
    boosted: dict[str, Trained], server: MlflowServer, user: MlflowUser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = boosted["lightgbm"]
    files = logged("lightgbm", {"data": "model.lgb"}, found.folder / "binary.txt")
    monkeypatch.setenv("MODELYARD_CONVERSION_HOME", str(tmp_path / "none"))

    with pytest.raises(
        InvalidSettings, match=r"has no folder lightgbm.*`modelyard mlflow sync NAME` brings it in from"
    ):
        taken(server, user, tmp_path / "scratch", files, sample=found.rows)


@pytest.mark.parametrize("kind", ["regressor", "classifier", "early"])
def test_an_estimator_of_lightgbm_in_skops_is_read_as_data(
    kind: str, estimators: Path, boosted: dict[str, Trained], server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    rows = table(boosted["lightgbm"].rows)
    files = logged("lightgbm", {"data": "model.skops"}, estimators / f"{kind}.skops")
    np.savez(tmp_path / "rows.npz", input=rows)

    folder = taken(server, user, tmp_path / "scratch", files, sample=tmp_path / "rows.npz")

    said, expected = answers(folder, rows), np.load(estimators / f"{kind}.npy")
    if kind == "regressor":
        assert np.allclose(said["variable"].ravel(), expected, rtol=1e-3, atol=1e-3)
    else:
        assert np.allclose(said["probabilities"], expected, atol=1e-4)


def test_names_of_classes_are_not_in_lightgbms_text(
    estimators: Path, server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    files = logged("lightgbm", {"data": "model.skops"}, estimators / "named.skops")

    with pytest.raises(
        UnsupportedModel, match=r"has classes with names \(bad, good\), which .*; or bring .*--trust-pickle"
    ):
        taken(server, user, tmp_path / "scratch", files)


@pytest.mark.parametrize("content", [b"no zip", b""])
def test_a_skops_of_another_form_is_refused(
    content: bytes, server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    (tmp_path / "model.skops").write_bytes(content)
    files = logged("lightgbm", {"data": "model.skops"}, tmp_path / "model.skops")

    with pytest.raises(InvalidEntry, match="kept as skops of another form than LightGBM's"):
        taken(server, user, tmp_path / "scratch", files)


@pytest.mark.parametrize("flavor", ["pytorch", "keras"])
def test_programs_are_fetched_only_for_who_trusts_them(
    flavor: str, server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    described = {"flavors": {flavor: {"model_data": "data", "data": "data"}}}
    file = {"pytorch": "data/model.pt2", "keras": "data/model.keras"}[flavor]
    files = {"MLmodel": yaml.safe_dump(described).encode(), file: b"PK of nothing"}

    with pytest.raises(InvalidEntry, match=r"which may run code when it is read.*--trust-pickle"):
        taken(server, user, tmp_path / "distrusted", files)
    with pytest.raises(ModelyardError, match=r"is converted only with rows to prove it on"):
        taken(server, user, tmp_path / "trusted", files, trust=True)
