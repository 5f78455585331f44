"""scikit-learn models, converted to ONNX on the machine of the person who trusts the file.

A `.joblib` is a pickle: reading it runs whatever its author put there. So it is read only when asked for in so
many words, at push or local build, and never in the cluster. The converted model must agree with the original
on random inputs before it is used.
"""

import importlib.util
from pathlib import Path
from typing import Any

from modelyard.core.failure_causes import blamed, cause_of_exception
from modelyard.errors import InvalidEntry, UnsupportedModel

OPSET, IR_VERSION = 18, 10
"""What every onnxruntime since 1.17, and so every runtime here, reads."""
_AGREEING, _ROWS = 0.95, 200


def convert_joblib(path: Path, target: Path) -> None:
    """Writes the ONNX form of a trusted `.joblib` to `target`.

    Raises InvalidEntry when it cannot be read, UnsupportedModel when the converter is missing, it holds no fitted model
    with predict(), or the result agrees with it on fewer than 95 % of 200 random rows.
    """
    if importlib.util.find_spec("skl2onnx") is None:
        raise UnsupportedModel(
            f"{path.name} is a scikit-learn model and the converter is not installed here; "
            "install modelyard[sklearn], or push model.onnx instead."
        )
    estimator = _load(path)
    features = getattr(estimator, "n_features_in_", None)
    if not hasattr(estimator, "predict") or features is None:
        raise UnsupportedModel(
            f"{path.name} holds a {type(estimator).__name__}, not a fitted scikit-learn model with predict(); "
            "save the fitted model itself."
        )
    model = _converted(estimator, int(features), path)
    _compare(estimator, model, int(features), path)
    target.write_bytes(model.SerializeToString())


def _load(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except Exception as bad:
        if cause_of_exception(bad) is not None:
            raise blamed(bad, str(bad)) from bad
        raise InvalidEntry(
            f"{path.name} cannot be read as a joblib file ({type(bad).__name__}: {bad}); save it again with the "
            "scikit-learn version that is installed here."
        ) from bad


def _converted(estimator: Any, features: int, path: Path) -> Any:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    options = {id(estimator): {"zipmap": False}} if hasattr(estimator, "predict_proba") else None
    inputs: Any = [("input", FloatTensorType([None, features]))]
    try:
        model: Any = to_onnx(
            estimator,
            initial_types=inputs,
            options=options,
            target_opset={"": OPSET, "ai.onnx.ml": 3},
        )
    except Exception as bad:
        first = " ".join(str(bad).split())[:200]
        raise blamed(
            bad,
            f"skl2onnx cannot convert the {type(estimator).__name__} in {path.name}: {first}; "
            "export it to ONNX yourself.",
        ) from bad
    model.ir_version = min(model.ir_version, IR_VERSION)
    return model


def _compare(estimator: Any, model: Any, features: int, path: Path) -> None:
    import numpy as np
    import onnxruntime as ort

    rows = np.random.default_rng(0).normal(size=(_ROWS, features)).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ours = np.asarray(session.run(None, {"input": rows})[0]).reshape(_ROWS, -1)
    theirs = np.asarray(estimator.predict(rows)).reshape(_ROWS, -1)
    if theirs.dtype.kind == "f":
        agreeing = np.isclose(ours, theirs, rtol=1e-2, atol=1e-3).all(axis=1).mean()
    else:
        agreeing = (ours.astype(str) == theirs.astype(str)).all(axis=1).mean()
    if agreeing < _AGREEING:
        raise UnsupportedModel(
            f"the ONNX form of {path.name} agrees with the original on only {agreeing:.0%} of random inputs; "
            "it probably needs double precision: export it to ONNX yourself."
        )
