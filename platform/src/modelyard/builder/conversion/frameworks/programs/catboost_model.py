"""A CatBoost model, `save_model("model.cbm")`: CatBoost writes its own ONNX, which is given the usual names."""

from pathlib import Path
from typing import Any

import catboost  # type: ignore[import-not-found]
import numpy as np
import onnx
from onnx import TensorProto, helper

from .graphs import INPUT, IR_VERSION
from .trees import CannotBeSaid

_CLASSIFIERS = ("Logloss", "CrossEntropy", "MultiClass", "MultiClassOneVsAll")


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Writes single.onnx, since CatBoost compares float32; its columns and the version of the library."""
    model, written = _model(path), folder / "catboost.onnx"
    texts = [model.feature_names_[place] for place in (*model.get_cat_feature_indices(), *_others(model))]
    if texts:
        raise CannotBeSaid(
            f"it takes categories or texts ({', '.join(texts[:3])}), which CatBoost's own ONNX cannot express; encode "
            "them in a scikit-learn pipeline before the model, or train on numbers"
        )
    model.save_model(str(written), format="onnx")
    converted = onnx.load(str(written))
    _name(converted.graph, _classifies(model))
    converted.ir_version = min(converted.ir_version, IR_VERSION)
    (folder / "single.onnx").write_bytes(converted.SerializeToString())
    return {"version": catboost.__version__, "columns": list(model.feature_names_)}


def answer(path: Path, rows: dict[str, Any]) -> dict[str, Any]:
    """Its own answers to rows["input"], [rows, columns] in float64."""
    model, given = _model(path), np.asarray(rows[INPUT], np.float64)
    if not _classifies(model):
        return {"predict": np.asarray(model.predict(given))}
    labels = np.asarray(model.predict(given, prediction_type="Class")).reshape(-1)
    return {
        "predict": labels.astype(str),
        "predict_proba": np.asarray(model.predict(given, prediction_type="Probability")),
    }


def _name(graph: Any, classifies: bool) -> None:
    """Calls the input and the outputs as everywhere here, and takes the tensor out of the map it is wrapped in."""
    for node in [node for node in graph.node if node.op_type == "ZipMap"]:
        graph.node.remove(node)
        graph.output.remove(next(value for value in graph.output if value.name == node.output[0]))
        graph.output.append(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, [None, None]))
    wanted = ("label", "probabilities") if classifies else ("variable",)
    renamed = {value.name: name for value, name in zip(graph.output, wanted, strict=True)}
    renamed[graph.input[0].name] = INPUT
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        node.output[:] = [renamed.get(name, name) for name in node.output]
    for value in (*graph.input, *graph.output):
        value.name = renamed.get(value.name, value.name)
        if value.type.tensor_type.shape.dim:  # the rows of a request are as many as it likes
            value.type.tensor_type.shape.dim[0].Clear()


def _others(model: Any) -> list[int]:
    return [*model.get_text_feature_indices(), *model.get_embedding_feature_indices()]


def _classifies(model: Any) -> bool:
    return str(model.get_all_params().get("loss_function", "")).split(":")[0] in _CLASSIFIERS


def _model(path: Path) -> Any:
    model = catboost.CatBoost()
    model.load_model(str(path))
    return model
