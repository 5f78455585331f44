"""`eval.npz`: the author's own inputs and expected outputs, checked against the graph and against onnxruntime.

The format is described in `api.entry`. Arrays are read without pickles and only up to a size, so a crafted
archive costs nothing; a file that does not fit the model is refused with the array's name. Arrays under the model's
own names, `x` for `input:x`, are understood.
"""

import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.builder.inspection.graph import Graph, Port
from modelyard.errors import InvalidEntry

from .npz import read_npz
from .sample_inputs import numpy_type

EVALUATION = "eval.npz"
RELATIVE, ABSOLUTE = 1e-2, 1e-3
_LABELS, _SLICE = "labels", "slice:"

Feed = dict[str, Any]
"""Arrays by tensor name."""
Run = Callable[[Feed], Feed]
"""From inputs to outputs."""
Judge = Callable[[dict[str, Any]], dict[str, Any]]
"""From answers by output name to what a report says of them; raises InvalidEntry when they are not good enough."""


@dataclass(frozen=True)
class EvaluationSet:
    """Inputs by name and the expected outputs that were given; `rows` in dimension 0 of all of them, or 0."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]
    rows: int

    def row(self, index: int) -> dict[str, Any]:
        """Row `index` of every input, still with its dimension 0 (size 1)."""
        return {name: value[index : index + 1] for name, value in self.inputs.items()}

    def compare(
        self, run: Run, chunk: int | None, judged: Judge | None = None, measured: Judge | None = None
    ) -> dict[str, Any]:
        """Runs all rows, `chunk` at a time (None: all at once), and compares the outputs with the expected ones.

        Returns {"rows", "largestDifference": by output name} and what `judged`, or without it `measured`, returns.
        Raises InvalidEntry when an output is off by more than 1 % and 0.001; with `judged` values may differ, and it
        raises when it is not content.
        """
        answers = self._answers(run, chunk)
        for name, expected in self.outputs.items():
            actual = answers[name]
            agrees = judged is not None or close(actual, expected, RELATIVE, ABSOLUTE)
            if actual.shape != expected.shape or not agrees:
                raise InvalidEntry(
                    f"output {name!r} is not what eval.npz expects ({_difference(actual, expected)}); "
                    "export the model again, or correct eval.npz."
                )
        told = judged or measured
        judgement = told(answers) if told is not None else {}
        differences = {name: largest_difference(answers[name], expected) for name, expected in self.outputs.items()}
        return {"rows": self.rows or 1, "largestDifference": differences, **judgement}

    def _answers(self, run: Run, chunk: int | None) -> dict[str, Any]:
        import numpy as np

        starts = range(0, self.rows, chunk) if chunk and self.rows else (0,)
        size = chunk if chunk and self.rows else None
        answers = [
            run({name: value[start : start + size] if size else value for name, value in self.inputs.items()})
            for start in starts
        ]
        if len(answers) == 1:
            return answers[0]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in self.outputs}


def read_evaluation(path: Path, graph: Graph) -> EvaluationSet:
    """The evaluation set at `path` for a model with `graph`, arrays cast to the types of its tensors.

    Raises InvalidEntry naming the array that is missing, unknown or of another shape or type, or has other rows.
    """
    arrays = _with_kinds(read_arrays(path), graph)
    inputs = {port.name: _fitting(arrays, "input", port, path) for port in graph.inputs}
    known = {f"input:{port.name}" for port in graph.inputs} | {f"output:{port.name}" for port in graph.outputs}
    strange = sorted(name for name in set(arrays) - known - {_LABELS} if not name.startswith(_SLICE))
    if strange:
        raise InvalidEntry(f"{path.name} holds {strange[0]!r}, which the model does not have; it has {_list(known)}.")
    outputs = {p.name: _fitting(arrays, "output", p, path) for p in graph.outputs if f"output:{p.name}" in arrays}
    if not outputs:
        raise InvalidEntry(f"{path.name} expects no output; add one of {_list(known)}.")
    _require_rows(inputs, graph, path)
    first = {value.shape[0] if value.ndim else 0 for value in (*inputs.values(), *outputs.values())}
    rows = first.pop() if len(first) == 1 else 0
    groups = sorted(name for name in arrays if name.startswith(_SLICE)) if rows else []
    for name in (name for name in groups if arrays[name].shape != (rows,)):
        raise InvalidEntry(f"{path.name}: {name} has shape {list(arrays[name].shape)}; give one group a row: [{rows}].")
    labels = arrays.get(_LABELS)
    if rows and labels is not None and labels.shape[:1] != (rows,):
        raise InvalidEntry(f"{path.name}: labels has shape {list(labels.shape)}; label every row: [{rows}, ...].")
    return EvaluationSet(inputs, outputs, rows)


def copy_evaluation(path: Path, graph: Graph, target: Path) -> None:
    """Copies an evaluation set to `target`, its arrays called input:NAME and output:NAME as everything here reads them.

    A damaged one is copied as it is; raises InvalidEntry when an array in it cannot be read.
    """
    keys = _keys(path)
    if _with_kinds(keys, graph).keys() == keys.keys():
        shutil.copyfile(path, target)
    else:
        write_arrays(_with_kinds(read_arrays(path), graph), target)


def _keys(path: Path) -> dict[str, None]:
    """What the arrays in an .npz file are called, without reading them; nothing when it is no archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy"): None for name in archive.namelist()}
    except Exception:  # noqa: BLE001 - zipfile raises what it likes
        return {}  # whoever reads the arrays says what is wrong


def _with_kinds(arrays: Mapping[str, Any], graph: Graph) -> dict[str, Any]:
    """The arrays, those under a bare name of the model's as input:NAME or output:NAME."""
    kinds = {port.name: kind for kind in ("output", "input") for port in getattr(graph, f"{kind}s")}
    named = {key: f"{kinds[key]}:{key}" for key in arrays if key in kinds and key != _LABELS}
    return {key if named.get(key, key) in arrays else named[key]: value for key, value in arrays.items()}


def _require_rows(inputs: Mapping[str, Any], graph: Graph, path: Path) -> None:
    """Raises InvalidEntry when inputs whose dimension 0 is one batch have different numbers of rows, or none."""
    batches: dict[Any, dict[str, int]] = {}
    for port in graph.inputs:
        if port.dims and not isinstance(port.dims[0], int):
            batches.setdefault(port.dims[0], {})[port.name] = len(inputs[port.name])
    for batch, rows in batches.items():
        sizes = set(rows.values())
        # Dimensions without a name may be two lengths rather than one batch, but one row is not one for many.
        if len(sizes) > 1 and (batch is not None or 1 in sizes):
            told = ", ".join(f"input:{name} has {count}" for name, count in rows.items())
            raise InvalidEntry(f"{path.name} needs as many rows (dimension 0) in every input: {told}; correct it.")
    sizes = {count for rows in batches.values() for count in rows.values()}
    if sizes == {0}:
        raise InvalidEntry(f"{path.name} has no rows: input:{graph.inputs[0].name} is empty; give it at least one.")


def read_arrays(path: Path) -> dict[str, Any]:
    """All arrays of an .npz file by key, strings as objects.

    Raises InvalidEntry when it cannot be read, holds pickled objects, text that is no UTF-8 or more than 1 GiB.
    """
    arrays = read_npz(path)
    for name, value in arrays.items():
        if value.dtype.kind in "US":
            try:
                arrays[name] = _text(value)
            except UnicodeError as bad:
                raise InvalidEntry(f"{path.name}: {name} holds text that is not UTF-8 ({bad}); encode it so.") from bad
    return arrays


def read_tensors(path: Path, kind: str) -> Feed:
    """The arrays of an .npz file whose key is KIND:NAME (`input` or `output`), by NAME; raises as `read_arrays`."""
    return {key.removeprefix(f"{kind}:"): v for key, v in read_arrays(path).items() if key.startswith(f"{kind}:")}


def write_arrays(arrays: Mapping[str, Any], path: Path) -> Path:
    """Writes arrays by key as the .npz file `path`, which `read_arrays` reads back, and returns `path`."""
    import numpy as np

    np.savez(path, **{name: storable(value) for name, value in arrays.items()})
    return path


def storable(value: Any) -> Any:
    """`value` as an array in which strings are fixed-width Unicode: .npz files are read without pickles."""
    import numpy as np

    array = np.asarray(value)
    return array.astype(np.str_) if array.dtype == object else array


def close(actual: Any, expected: Any, relative: float = 1e-3, absolute: float = 1e-5) -> bool:
    """Whether two arrays agree in shape and values: floats by |a - e| <= absolute + relative |e|, the rest exactly.

    NaN equals NaN.
    """
    import numpy as np

    if actual.shape != expected.shape:
        return False
    if np.asarray(expected).dtype.kind == "f":
        wide = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
        return bool(np.allclose(*wide, rtol=relative, atol=absolute, equal_nan=True))
    return bool((np.asarray(actual) == np.asarray(expected)).all())


def largest_difference(actual: Any, expected: Any) -> float:
    """Largest |actual - expected| of two arrays of one shape; for anything but numbers how many elements differ."""
    import numpy as np

    if actual.size == 0:
        return 0.0
    if np.asarray(expected).dtype.kind in "fiu":
        return float(np.nanmax(np.abs(actual.astype(np.float64) - expected.astype(np.float64)), initial=0.0))
    return float((actual != expected).sum())


def _fitting(arrays: dict[str, Any], kind: str, port: Port, path: Path) -> Any:
    import numpy as np

    key = f"{kind}:{port.name}"
    if key not in arrays:
        raise InvalidEntry(f"{path.name} has no array {key!r}; add it, the model's {kind} needs one.")
    value, dtype = arrays[key], numpy_type(port.datatype)
    if value.ndim == 0 and port.dims == (1,):
        value = value.reshape(1)  # a scalar, which is served as one element
    if port.dims is not None and kind == "input":  # what a file declares of its outputs, its answers need not bear out
        fits = value.ndim == len(port.dims) and all(
            not isinstance(dim, int) or dim == size for dim, size in zip(port.dims, value.shape, strict=True)
        )
        if not fits:
            declared = [dim if isinstance(dim, int) else -1 for dim in port.dims]
            raise InvalidEntry(f"{path.name}: {key} has shape {list(value.shape)}, the model has {declared}; mend it.")
    if not np.can_cast(value.dtype, dtype, "same_kind"):
        raise InvalidEntry(f"{path.name}: {key} holds {value.dtype}, the model has {port.datatype}; mend it.")
    with np.errstate(all="ignore"):
        typed = value.astype(dtype)
    lost = _lost(value, typed)
    if lost.any():
        beyond = value[lost].flat[0]
        raise InvalidEntry(f"{path.name}: {key} holds {beyond}, which is beyond {port.datatype}, the model's; mend it.")
    return typed


def _lost(value: Any, typed: Any) -> Any:
    """Which numbers became others, or infinite, in their datatype; truth values and texts do not."""
    import numpy as np

    if typed.dtype.kind in "iu":
        return typed != value
    return np.isinf(typed) & np.isfinite(value) if typed.dtype.kind == "f" else np.zeros(value.shape, bool)


def _text(value: Any) -> Any:
    import numpy as np

    flat = [item.decode() if isinstance(item, bytes) else str(item) for item in value.ravel()]
    for item in flat:
        item.encode()

    return np.array(flat, dtype=object).reshape(value.shape)


def _difference(actual: Any, expected: Any) -> str:
    if actual.shape != expected.shape:
        return f"shape {list(actual.shape)} instead of {list(expected.shape)}"
    return f"it differs by up to {largest_difference(actual, expected):.3g}"


def _list(names: set[str]) -> str:
    return ", ".join(sorted(names))
