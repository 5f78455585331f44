"""The reference profile of an entry: of its eval.npz, or of a file that somebody gives in its place.

| file | read as |
|---|---|
| .npz | arrays by tensor name, as in eval.npz; outputs may be left out |
| .csv, .parquet, whose columns' names are the inputs' | a column an input |
| another, for a model of one input with k values a row | its first k columns, in order, under the columns' names |

A given file is not kept: what is pushed is the profile, `profile.json` in the entry's folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from modelyard.api.monitoring.profile import PROFILE_FORMAT, ReferenceProfile
from modelyard.builder.inspection.graph import Graph, Port
from modelyard.errors import InvalidEntry, InvalidInput
from modelyard.records.columns import columns_of, rows_of
from modelyard.records.features import CONFIDENCE, output_features
from modelyard.records.reference import ReferenceColumn, profile_of, with_importance
from modelyard.records.tables import read_table
from modelyard.records.values import as_kind, column

from .evaluation_set import EvaluationSet, read_arrays

PROFILE = "profile.json"
NO_EVALUATION = "there is no eval.npz: push the entry with one, or with --reference FILE"
_TEXT = "BYTES"


@dataclass(frozen=True)
class ReferenceRows:
    """Rows of a reference by feature, why others are left out, and what the reference is called."""

    columns: tuple[ReferenceColumn, ...]
    source: str
    left_out: tuple[str, ...] = ()

    def profile(self, importance: Mapping[str, float] | None = None) -> ReferenceProfile:
        """Their profile, with importances by column; raises InvalidInput when there is no row, or nothing to watch."""
        if not self.columns:
            raise InvalidInput(f"{self.source} has nothing that can be watched.")
        outputs_first = sorted(self.columns, key=lambda one: one.role == "input")
        return with_importance(profile_of(outputs_first, self.source, self.left_out), importance or {})


def rows_of_evaluation(evaluation: EvaluationSet, graph: Graph, labels: int, source: str) -> ReferenceRows:
    """The rows of an evaluation set; raises InvalidInput when it has none of its own (axis 0 is no batch)."""
    if not evaluation.rows:
        raise InvalidInput(f"{source} is one sample and not rows of a batch, which a reference needs.")
    return _rows(evaluation.inputs, evaluation.outputs, graph, labels, source)


def rows_of_file(path: Path, graph: Graph, labels: int = 0) -> ReferenceRows:
    """The rows of a file for a model with `graph`; raises InvalidInput when they do not fit it."""
    if path.suffix == ".npz":
        return _of_arrays(path, graph, labels)
    columns = read_table(path)
    names = [port.name for port in graph.inputs]
    if set(names) <= set(columns):
        pairs = [(port.name, port.name, port.datatype) for port in graph.inputs]
    else:
        width, port = _width(graph), graph.inputs[0]
        if width is None or len(columns) < width:
            wanted = f"{width} columns in the model's order, or one called {port.name}" if width else "a column each"
            raise InvalidInput(
                f"{path.name} has the columns {', '.join(list(columns)[:8])}, and the model takes {', '.join(names)}: "
                f"give it {wanted}."
            )
        pairs = [(name, f"{port.name}[{at}]", port.datatype) for at, name in enumerate(list(columns)[:width])]
    taken = [ReferenceColumn(as_kind(columns[name], text=kind == _TEXT), "input", of) for name, of, kind in pairs]
    others = set(columns) - {name for name, *_ in pairs}
    left_out = tuple(f"{name}: the model does not take it" for name in columns if name in others)
    return ReferenceRows(tuple(taken), path.name, left_out)


def read_profile(path: Path) -> ReferenceProfile:
    """The profile in a file; raises InvalidEntry when it is none."""
    try:
        profile = ReferenceProfile.model_validate_json(path.read_bytes())
    except ValidationError as bad:
        first = bad.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise InvalidEntry(
            f"{path.name} is no reference profile ({where}: {first['msg']}): make it with modelyard push --reference."
        ) from bad
    if profile.format > PROFILE_FORMAT:
        raise InvalidEntry(f"{path.name} has format {profile.format}: it is of a newer Modelyard; use that one.")
    return profile


def _of_arrays(path: Path, graph: Graph, labels: int) -> ReferenceRows:
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: check the path.")
    named = {name.removeprefix("input:").removeprefix("output:"): value for name, value in read_arrays(path).items()}
    inputs = {port.name: named[port.name] for port in graph.inputs if port.name in named}
    absent = [port.name for port in graph.inputs if port.name not in named]
    if absent:
        raise InvalidInput(f"{path.name} has no array {absent[0]!r}: give one for each input of the model.")
    outputs = {port.name: named[port.name] for port in graph.outputs if port.name in named}
    lengths = {len(value) if value.ndim else 0 for value in (*inputs.values(), *outputs.values())}
    if len(lengths) > 1 or lengths == {0}:
        raise InvalidInput(f"{path.name} needs as many rows (axis 0) in every array, and at least one.")
    return _rows(inputs, outputs, graph, labels, path.name)


def _rows(
    inputs: Mapping[str, Any], outputs: Mapping[str, Any], graph: Graph, labels: int, source: str
) -> ReferenceRows:
    rows = rows_of(inputs)
    dynamic = {port.name for port in (*graph.inputs, *graph.outputs) if _is_dynamic(port)}
    taken = columns_of(inputs, rows, dynamic)
    given = output_features(outputs, rows, labels, dynamic)
    columns = [ReferenceColumn(column(name, values), "input", name) for name, values in taken.items()]
    columns += [
        ReferenceColumn(column(name, values), "confidence" if name.endswith(CONFIDENCE) else "output", name)
        for name, values in given.items()
    ]
    return ReferenceRows(tuple(columns), source)


def _is_dynamic(port: Port) -> bool:
    """Whether rows of it have no fixed width."""
    return port.dims is None or any(not isinstance(dim, int) for dim in port.dims[1:])


def _width(graph: Graph) -> int | None:
    """How many values a row of the only input has; None when that is not told, or there are several inputs."""
    dims = graph.inputs[0].dims
    if len(graph.inputs) != 1 or dims is None or len(dims) != 2 or not isinstance(dims[1], int):
        return None
    return dims[1]
