"""scikit-learn models, converted to ONNX on the machine of the person who trusts the file.

A `.joblib` is a pickle: reading it runs whatever its author put there. So it is read only when asked for in so
many words, at push or local build, and never in the cluster. The converted model must answer as the original, on the
author's rows (an eval.npz) or on rows in the range the model was fitted on, in all outputs; in float32 where that is
enough, else in float64: Unix seconds, say, have more digits than float32 holds.
"""

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modelyard.core.failure_causes import blamed, cause_of_exception
from modelyard.errors import InvalidEntry, UnsupportedModel

from .agreement import Agreement, agreement, asked
from .columns import Layout, layout_of, steps_of
from .estimator_file import read_estimator
from .finishing import finish, name_inputs, reshape_output
from .preparing import filled_with, prepared
from .rows import EstimatorRows, rows_of

OPSET, IR_VERSION = 18, 10
"""What every onnxruntime since 1.17, and so every runtime here, reads."""
AGREEING = 0.999
_WORD, _TOKEN = r"(?u)\b\w\w+\b", r"[\p{L}\p{N}_]{2,}"
"""scikit-learn's pattern of a word, and the same for the runtime's tokenizer, which knows no \\b."""


def convert_joblib(path: Path, target: Path, evaluation: Path | None = None) -> None:
    """Writes the ONNX form of a trusted pickle to `target`; `evaluation` is an eval.npz with rows of the author's.

    Raises InvalidEntry when it cannot be read or would end this program, UnsupportedModel when the converter is
    missing, it holds no fitted model with predict(), or the result agrees with it on fewer than 99.9 % of the rows in
    either precision.
    """
    if importlib.util.find_spec("skl2onnx") is None:
        raise UnsupportedModel(
            f"{path.name} is a scikit-learn model and the converter is not installed here; "
            "install modelyard[sklearn], or push model.onnx instead."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            target.write_bytes(_proved(path, evaluation))
        except SystemExit as end:
            raise InvalidEntry(
                f"{path.name} ends the program that works with it (it calls exit({end.code!r})); save the fitted model "
                "without what does so, or export it to ONNX yourself."
            ) from end


def _proved(path: Path, evaluation: Path | None) -> bytes:
    """The ONNX form of what the pickle holds, which answers as it does."""
    estimator = read_estimator(path)
    try:
        layout = layout_of(estimator)
        model = _converted(estimator, layout, double=False)
    except Exception as bad:
        raise _unconverted(path, estimator, bad) from bad
    try:
        rows = rows_of(layout, estimator, evaluation)
        asked(estimator.predict, rows.for_estimator())
    except Exception as bad:
        raise _untried(path, estimator, bad) from bad
    return _agreeing(estimator, model, rows, path)


def _untried(path: Path, estimator: Any, bad: Exception) -> Exception:
    words = f"{type(bad).__name__}: {' '.join(str(bad).split())[:200]}"
    return blamed(
        bad,
        f"the {type(estimator).__name__} in {path.name} cannot be asked to compare it with its ONNX form ({words}); "
        "put an eval.npz with rows it takes beside it, or export it to ONNX yourself.",
    )


def _agreeing(estimator: Any, single: Any, rows: EstimatorRows, path: Path) -> bytes:
    """The ONNX model in the first precision that keeps the answers."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    refused: list[str] = []
    for double in (False, True):
        try:
            model = _converted(estimator, rows.layout, double) if double else single
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            found = agreement(session, estimator, rows, double)
        except Exception as bad:
            if cause_of_exception(bad) is not None or not refused:
                raise _unconverted(path, estimator, bad) from bad
            continue
        if found.share >= AGREEING:
            return _with_outputs(model, found).SerializeToString()
        refused.append(f"{found.share:.1%} in {'double' if double else 'single'} precision")
    whose = "its eval.npz" if rows.own else "rows in the range it was fitted on"
    raise UnsupportedModel(
        f"the ONNX form of {path.name} agrees with the original on only {' and '.join(refused)} of {whose}; "
        "export it to ONNX yourself."
    )


def _unconverted(path: Path, estimator: Any, bad: Exception) -> Exception:
    first = " ".join(str(bad).split())[:200]
    return blamed(
        bad,
        f"skl2onnx cannot convert the {type(estimator).__name__} in {path.name}: {first}; export it to ONNX yourself.",
    )


def _converted(estimator: Any, layout: Layout, double: bool) -> Any:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, Int64TensorType, StringTensorType

    types: dict[str, Any] = {
        "number": DoubleTensorType if double else FloatTensorType, "integer": Int64TensorType, "text": StringTensorType,
    }  # fmt: skip
    given = prepared(estimator, layout)
    inputs: Any = [(name, types[kind]([None, width])) for name, kind, width in layout.inputs]
    words = {id(step): {"tokenexp": _TOKEN} for step in steps_of(given) if getattr(step, "token_pattern", "") == _WORD}
    opsets = {"": OPSET, "ai.onnx.ml": 3}
    model: Any = _with_first_option(
        given, words, lambda options: to_onnx(given, initial_types=inputs, target_opset=opsets, options=options)
    )
    finish(model, double, filled_with(given))
    name_inputs(model, [name for name, _, _ in layout.inputs])
    model.ir_version = min(model.ir_version, IR_VERSION)
    return model


def _with_first_option(estimator: Any, words: dict[int, Any], convert: Callable[[Any], Any]) -> Any:
    """What `convert` gives with the first options that the estimator's converter knows.

    Without any, skl2onnx asks every classifier for maps, those included that have no such option.
    """
    last = list(steps_of(estimator))[-1]
    for chosen in (
        {id(estimator): {"zipmap": False}},
        {id(last): {"zipmap": False}},
        {id(last): {"raw_scores": False}},
    ):
        try:
            return convert({**words, **chosen})
        except NameError:
            continue
    return convert(words or None)


def _with_outputs(model: Any, found: Agreement) -> Any:
    for output in [value for value in model.graph.output if value.name not in found.outputs]:
        model.graph.output.remove(output)
    if found.shape is not None:
        reshape_output(model, found.outputs[0], found.shape)
    return model
