"""A framework's file, made into ONNX where the framework is, and held to its answers to rows of the author's here.

There is no conversion without such rows: nothing in the file tells what the model meets.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from modelyard.builder.conversion.columns import Column, Layout
from modelyard.builder.conversion.finishing import settled
from modelyard.builder.conversion.own_rows import own_rows
from modelyard.builder.conversion.proof import ConversionProof, Original, proved, required
from modelyard.builder.evaluation.npz import read_npz
from modelyard.builder.inspection.model_file import inspect
from modelyard.core.failure_causes import blamed
from modelyard.errors import InvalidInput

from .catalogue import Framework, framework_of
from .child import ran
from .environment import FrameworkPython, python_of
from .programs.chunks import CHUNK
from .tensors import share_of, tensor_rows


def convert_file(
    path: Path,
    target: Path,
    evaluation: Path | None = None,
    sample: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> ConversionProof:
    """Writes the ONNX form of a file with one of `catalogue.SUFFIXES` to `target`, and says what it was proved on.

    `sample` is a file with rows of the author's, `evaluation` an eval.npz that may have some under the names of the
    inputs. Raises InvalidEntry when the framework cannot read it, InvalidInput when there are no such rows or they do
    not fit, UnsupportedModel when ONNX cannot express it or the result agrees on fewer than 99.9 % of the rows, and
    what `python_of` raises.
    """
    framework = framework_of(path)
    if sample is None and evaluation is None:
        raise InvalidInput(_without_rows(framework, path))
    python = python_of(framework, say)
    with tempfile.TemporaryDirectory(prefix="modelyard-conversion-") as folder:
        job = _Job(framework, python, path, Path(folder))
        told = job.run("convert")
        name = f"{framework.name} {told['version']}"
        prove = _proved_network if framework.network else _proved_table
        model, proof = prove(job, name, told.get("columns", ()), evaluation, sample)
    target.write_bytes(model)
    return proof


@dataclass(frozen=True)
class _Job:
    framework: Framework
    python: FrameworkPython
    path: Path
    scratch: Path

    def run(self, verb: str) -> dict[str, Any]:
        return ran(self.framework, self.python, verb, self.path, self.scratch)

    def answers(self, **rows: Any) -> dict[str, Any]:
        """The framework's own, by name."""
        import numpy as np

        np.savez(self.scratch / "rows.npz", **rows)
        self.run("answer")
        return read_npz(self.scratch / "answers.npz")

    def form(self, double: bool) -> Any:
        """The ONNX model in one precision; None where the framework has none in it."""
        import onnx

        path = self.scratch / f"{'double' if double else 'single'}.onnx"
        return onnx.load(str(path)) if path.is_file() else None

    def without_rows(self) -> InvalidInput:
        return InvalidInput(_without_rows(self.framework, self.path))


def _proved_table(
    job: _Job, name: str, columns: Sequence[str], evaluation: Path | None, sample: Path | None
) -> tuple[bytes, ConversionProof]:
    import numpy as np

    layout = Layout(tuple(Column(str(column), "number") for column in columns))
    rows = own_rows(layout, evaluation, sample)
    if rows is None:
        raise job.without_rows()
    told = job.answers(input=np.asarray(rows.for_estimator(), np.float64))
    answered = RecordedAnswers(told["predict"])
    if "predict_proba" in told:
        answered = RecordedProbabilities(told["predict"], told["predict_proba"])
    original = Original(job.path.name, name, partial(_unreadable, job.path))
    return proved(original, job.form, answered, rows)


def _proved_network(
    job: _Job, name: str, _: Sequence[str], evaluation: Path | None, sample: Path | None
) -> tuple[bytes, ConversionProof]:
    import onnxruntime as ort

    form = job.scratch / "single.onnx"
    graph = inspect(form)
    rows = tensor_rows(graph, evaluation, sample)
    if rows is None:
        raise job.without_rows()
    told = job.answers(**rows.arrays, **{CHUNK: rows.chunk})
    names = [port.name for port in graph.outputs]
    expected = told if set(told) == set(names) else dict(zip(names, told.values(), strict=True))
    try:
        session = ort.InferenceSession(str(form), providers=["CPUExecutionProvider"])
        share = share_of(
            lambda feed: dict(zip(expected, session.run(list(expected), feed), strict=True)), rows, expected
        )
    except Exception as bad:
        raise _unreadable(job.path, bad) from bad
    proof = required(job.path.name, ConversionProof(name, rows.count, rows.source, share, False))
    return settled(job.form(double=False)), proof


@dataclass(frozen=True)
class RecordedAnswers:
    """What an original answered to the rows of a proof, in the place of the original."""

    predicted: Any

    def predict(self, _: Any) -> Any:
        """Its classes or numbers."""
        return self.predicted


@dataclass(frozen=True)
class RecordedProbabilities(RecordedAnswers):
    """The same of a classifier."""

    probabilities: Any

    def predict_proba(self, _: Any) -> Any:
        """Its probabilities, [rows, classes]."""
        return self.probabilities


def _unreadable(path: Path, bad: Exception) -> Exception:
    words = " ".join(str(bad).split())[:200]
    return blamed(bad, f"onnxruntime cannot run the ONNX form of {path.name}: {words}; export it to ONNX yourself.")


def _without_rows(framework: Framework, path: Path) -> str:
    return (
        f"{path.name} is converted only with rows to prove it on, since a file of {framework.name} does not tell what "
        "it meets: give push, build or serve some hundred with --sample rows.csv (.parquet, .npz), or put an eval.npz "
        f"beside it, with an array {'for each input' if framework.network else '`input`'}."
    )
