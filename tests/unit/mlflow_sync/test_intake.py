"""What of MLflow's flavors can be served, and what is said of the others."""

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml

from modelyard.clients.mlflow import MlflowServer, RegisteredModel
from modelyard.errors import ModelyardError
from modelyard.mlflow_sync.intake import entry_folder
from tests.support.artifacts.onnx_models import doubling
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files


def taken(
    server: MlflowServer,
    user: MlflowUser,
    scratch: Path,
    files: dict[str, bytes],
    trust: bool = False,
    sample: Path | None = None,
) -> Path:
    version = server.version("toy", user.register("toy", files))
    assert version is not None
    return entry_folder(server, RegisteredModel("toy"), version, "toy", scratch, trust, sample)


def flavored(**flavors: Any) -> dict[str, bytes]:
    return {"MLmodel": yaml.safe_dump({"flavors": flavors}).encode(), "model.pkl": b"no pickle"}


def with_weights_outside(folder: Path) -> dict[str, bytes]:
    """A model as MLflow keeps one: its weights in a file with a name of its own."""
    weights = onnx.numpy_helper.from_array(np.ones((4, 64), np.float32), "w")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 4])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 64])],
        [weights],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.save_model(model, folder / "model.onnx", save_as_external_data=True, location="3f2a.data", size_threshold=0)
    described = {"MLmodel": onnx_files()["MLmodel"]}
    return described | {name: (folder / name).read_bytes() for name in ("model.onnx", "3f2a.data")}


@pytest.mark.parametrize("schema", [b"{}", b"[" * 100_000], ids=["empty", "nested without end"])
def test_a_skops_of_another_form_than_lightgbms_is_refused(
    server: MlflowServer, user: MlflowUser, tmp_path: Path, schema: bytes
) -> None:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("schema.json", schema)
    files = {**flavored(lightgbm={"data": "model.skops"}), "model.skops": packed.getvalue()}

    with pytest.raises(ModelyardError, match="kept as skops of another form than LightGBM's"):
        taken(server, user, tmp_path, files)


def test_weights_in_a_file_of_their_own_come_along(server: MlflowServer, user: MlflowUser, tmp_path: Path) -> None:
    (tmp_path / "logged").mkdir()
    (tmp_path / "scratch").mkdir()

    folder = taken(server, user, tmp_path / "scratch", with_weights_outside(tmp_path / "logged"))

    assert sorted(path.name for path in folder.iterdir()) == ["3f2a.data", "model.onnx", "modelyard.yaml"]


def test_what_lies_beside_the_model_comes_along(server: MlflowServer, user: MlflowUser, tmp_path: Path) -> None:
    np.savez(tmp_path / "eval.npz", x=np.ones((2, 4), np.float32))
    (tmp_path / "scratch").mkdir()
    files = onnx_files() | {"eval.npz": (tmp_path / "eval.npz").read_bytes(), "conda.yaml": b"x"}

    folder = taken(server, user, tmp_path / "scratch", files)

    assert sorted(path.name for path in folder.iterdir()) == ["eval.npz", "model.onnx", "modelyard.yaml"]


def test_a_pickle_is_converted_where_it_is_trusted(server: MlflowServer, user: MlflowUser, tmp_path: Path) -> None:
    import joblib
    from sklearn.linear_model import LinearRegression

    joblib.dump(LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0]), tmp_path / "model.pkl")
    (tmp_path / "scratch").mkdir()
    files = flavored(sklearn={"pickled_model": "model.pkl"}) | {"model.pkl": (tmp_path / "model.pkl").read_bytes()}
    (tmp_path / "rows.csv").write_text("x\n0\n0.5\n1\n")

    folder = taken(server, user, tmp_path / "scratch", files, trust=True, sample=tmp_path / "rows.csv")

    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "modelyard.yaml"]
    assert yaml.safe_load((folder / "modelyard.yaml").read_text())["framework"] == "scikit-learn"


def test_what_mlflow_keeps_as_skops_is_converted_without_trust(
    server: MlflowServer, user: MlflowUser, tmp_path: Path
) -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from skops import io

    model = make_pipeline(StandardScaler(), LinearRegression()).fit([[0.0], [1.0]], [0.0, 2.0])
    io.dump(model, tmp_path / "model.skops")
    (tmp_path / "scratch").mkdir()
    kept = (tmp_path / "model.skops").read_bytes()

    folder = taken(
        server, user, tmp_path / "scratch", flavored(sklearn={"pickled_model": "model.skops"}) | {"model.skops": kept}
    )

    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "modelyard.yaml"]


@pytest.mark.parametrize(
    ("files", "reason", "words"),
    [
        ({"model.onnx": b"x"}, "InvalidEntry", "has no file MLmodel"),
        ({"MLmodel": b"[1"}, "InvalidEntry", "MLmodel of toy version 1 is not YAML"),
        ({"MLmodel": b"flavors: 3"}, "InvalidEntry", "names no flavors"),
        ({"MLmodel": b"7"}, "InvalidEntry", "names no flavors"),
        (flavored(), "UnsupportedModel", "only the flavors none"),
        (flavored(spark={}, python_function={}), "UnsupportedModel", "only the flavors python_function, spark"),
        (flavored(pytorch={}), "UnsupportedModel", "keeps no model.pt2 in data"),
        (flavored(sklearn={"pickled_model": "model.bin"}), "UnsupportedModel", "kept as model.bin"),
        (flavored(sklearn={"pickled_model": "model.pkl"}), "InvalidEntry", "sync NAME --trust-pickle"),
        (flavored(onnx={"data": "../up.onnx"}), "InvalidEntry", "which is no file beside it"),
        (flavored(onnx={"data": 3}), "InvalidEntry", "which is no file beside it"),
        (flavored(onnx={"data": "model.pkl"}), "UnsupportedModel", ""),
        (onnx_files() | {"config.pbtxt": b"\xff"}, "InvalidEntry", "is not text"),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    server: MlflowServer, user: MlflowUser, tmp_path: Path, files: dict[str, bytes], reason: str, words: str
) -> None:
    with pytest.raises(ModelyardError) as refused:
        taken(server, user, tmp_path, files)

    assert words in str(refused.value)
    assert refused.value.reason in (reason, "InvalidEntry")


def test_a_model_that_somebody_logged_without_a_run_has_no_metrics(
    server: MlflowServer, user: MlflowUser, tmp_path: Path, mlflow: Any
) -> None:
    user.register("toy", onnx_files(doubling()))
    mlflow.versions["toy", "1"]["run_id"] = ""
    version = server.version("toy", "1")
    assert version is not None

    folder = entry_folder(server, RegisteredModel("toy"), version, "toy", tmp_path, False)

    assert "metrics" not in yaml.safe_load((folder / "modelyard.yaml").read_text())
