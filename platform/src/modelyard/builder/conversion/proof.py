"""The proof of a conversion: the ONNX form answers rows as the original does, or it is refused.

In float32 where that keeps the answers, else in float64: Unix seconds, say, have more digits than float32 holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modelyard.core.failure_causes import cause_of_exception
from modelyard.errors import UnsupportedModel

from .agreement import Agreement, agreement
from .finishing import reshape_output, settled
from .rows import EstimatorRows

AGREEING = 0.999
Convert = Callable[[bool], Any]
"""From whether numbers are float64 to an onnx.ModelProto; None where there is no such form."""


@dataclass(frozen=True)
class ConversionProof:
    """What a conversion was held to: so many rows, whose they are, and the share of them (0 to 1) that agrees."""

    original: str
    rows: int
    source: str
    share: float
    double: bool
    saved_with: str = ""
    """The version of scikit-learn that wrote it, where that is another than the one here."""

    def __str__(self) -> str:
        precision = "double" if self.double else "single"
        other = (
            f"; scikit-learn {self.saved_with} wrote it, and what this version makes of it may answer otherwise"
            if self.saved_with
            else ""
        )
        return (
            f"converted in {precision} precision: {self.share:.2%} of {self.rows:,} rows ({self.source}) are answered "
            f"as by {self.original}{other}"
        )


@dataclass(frozen=True)
class Original:
    """What is converted, for sentences: its file and what it is; `refused` gives the error for an exception."""

    file: str
    name: str
    refused: Callable[[Exception], Exception]


def proved(original: Original, convert: Convert, estimator: Any, rows: EstimatorRows) -> tuple[bytes, ConversionProof]:
    """The ONNX model in the first precision in which it agrees with `estimator` on 99.9 % of `rows`, and the proof.

    Raises what `original.refused` gives where it cannot be converted at all, UnsupportedModel where it agrees in none.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    shares: list[str] = []
    for double in (False, True):
        try:
            model = convert(double)
            if model is None:
                continue
            session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
            found = agreement(session, estimator, rows, double)
        except Exception as bad:
            if cause_of_exception(bad) is not None or not shares:
                raise original.refused(bad) from bad
            continue
        if found.share >= AGREEING:
            told = ConversionProof(original.name, rows.count, rows.source, found.share, double)
            return settled(_with_outputs(model, found)), told
        shares.append(f"{found.share:.1%} in {'double' if double else 'single'} precision")
    raise _disagreeing(original.file, " and ".join(shares), rows.source)


def required(file: str, proof: ConversionProof) -> ConversionProof:
    """The proof of the one form that `file` has; raises UnsupportedModel when it agrees on too few rows."""
    if proof.share >= AGREEING:
        return proof
    raise _disagreeing(file, f"{proof.share:.1%}", proof.source)


def _disagreeing(file: str, shares: str, source: str) -> UnsupportedModel:
    return UnsupportedModel(
        f"the ONNX form of {file} agrees with the original on only {shares} of {source}; export it to ONNX yourself."
    )


def _with_outputs(model: Any, found: Agreement) -> Any:
    for output in [value for value in model.graph.output if value.name not in found.outputs]:
        model.graph.output.remove(output)
    if found.shape is not None:
        reshape_output(model, found.outputs[0], found.shape)
    return model
