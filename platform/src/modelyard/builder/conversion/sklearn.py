"""scikit-learn models, converted to ONNX on the machine of the person who trusts the file.

A `.joblib` is a pickle: reading it runs whatever its author put there. So it is read only when asked for in so
many words, at push or local build, and never in the cluster. The converted model must answer as the original, on the
author's rows (a sample, an eval.npz) or on rows in the ranges that the model holds, in all outputs; in float32 where
that is enough, else in float64: Unix seconds, say, have more digits than float32 holds. `apart` does it in a process of
its own.
"""

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelyard.core.failure_causes import blamed
from modelyard.errors import InvalidEntry, InvalidInput, UnsupportedModel

from . import boosted
from .agreement import asked
from .columns import Layout, layout_of, steps_of
from .estimator_file import read_saved
from .finishing import finish, name_inputs
from .own_rows import rows_of
from .preparing import filled_with, prepared
from .proof import ConversionProof, Original, proved

OPSET, IR_VERSION = 18, 10
"""What every onnxruntime since 1.17, and so every runtime here, reads."""
_WORD, _TOKEN = r"(?u)\b\w\w+\b", r"[\p{L}\p{N}_]{2,}"
"""scikit-learn's pattern of a word, and the same for the runtime's tokenizer, which knows no \\b."""


def convert_joblib(
    path: Path, target: Path, evaluation: Path | None = None, sample: Path | None = None, trusted: bool = True
) -> ConversionProof:
    """Writes the ONNX form of a pickle that is `trusted`, or of a .skops, to `target`; says what it was proved on.

    `sample` is a file with rows of the author's, `evaluation` an eval.npz that may have some. Raises InvalidEntry when
    it cannot be read or would end this program, InvalidInput when the sample does not fit it or there are no rows,
    UnsupportedModel when the converter is missing, it holds no fitted model with predict(), or the result agrees with
    it on fewer than 99.9 % of the rows in either precision.
    """
    if importlib.util.find_spec("skl2onnx") is None:
        raise UnsupportedModel(
            f"{path.name} is a scikit-learn model and the converter is not installed here; "
            "install modelyard[sklearn], or push model.onnx instead."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model, proof = _proved(path, evaluation, sample, trusted)
        except SystemExit as end:
            raise InvalidEntry(
                f"{path.name} ends the program that works with it (it calls exit({end.code!r})); save the fitted model "
                "without what does so, or export it to ONNX yourself."
            ) from end
    target.write_bytes(model)
    return proof


def _proved(path: Path, evaluation: Path | None, sample: Path | None, trusted: bool) -> tuple[bytes, ConversionProof]:
    """The ONNX form of what the file holds, which answers as it does."""
    estimator, saved_with = read_saved(path, trusted)
    try:
        layout = layout_of(estimator)
        model = _converted(estimator, layout, double=False)
    except Exception as bad:
        raise _unconverted(path, estimator, bad) from bad
    try:
        rows = rows_of(layout, estimator, evaluation, sample, path.name)
        asked(estimator.predict, rows.for_estimator())
    except InvalidInput:
        raise
    except Exception as bad:
        raise _untried(path, estimator, bad) from bad
    original = Original(path.name, type(estimator).__name__, lambda bad: _unconverted(path, estimator, bad))
    written, proof = proved(
        original, lambda double: _converted(estimator, layout, True) if double else model, estimator, rows
    )
    return written, replace(proof, saved_with=saved_with)


def _untried(path: Path, estimator: Any, bad: Exception) -> Exception:
    words = f"{type(bad).__name__}: {' '.join(str(bad).split())[:200]}"
    return blamed(
        bad,
        f"the {type(estimator).__name__} in {path.name} cannot be asked to compare it with its ONNX form ({words}); "
        "put an eval.npz with rows it takes beside it or name some with --sample, or export it to ONNX yourself.",
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
    boosted.register()
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
