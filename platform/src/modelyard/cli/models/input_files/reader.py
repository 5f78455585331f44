"""From a file of a person's to the arrays a model takes.

    .json   a request of the Open Inference Protocol v2, or {"input name": values}, or bare values for a
            model with one input
    .npz    arrays named `input:<name>` (as in an entry's eval.npz) or `<name>`; one lone array fits a model
            with one input
    .npy    one array, for a model with one input
    .csv    rows of values for a model with one input; with a header line that names every input, one
            column an input

Values are converted to the model's datatype and, where nothing moves, brought into its shape, by
`clients.inference.inputs`. Everything else is InvalidInput, which says what was expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.builder.evaluation.npz import read_npy, read_npz
from modelyard.clients.inference.inputs.fitting import fitted
from modelyard.clients.inference.predictions import Description
from modelyard.errors import InvalidEntry, InvalidInput

from .csv_rows import read_csv
from .json_values import read_json

if TYPE_CHECKING:
    import numpy as np

_KINDS = (".json", ".npz", ".npy", ".csv")


def read(path: Path, model: Description, first: int | None = None) -> dict[str, np.ndarray]:
    """Arrays by input name with the model's datatypes and shapes; only the `first` rows when that is given.

    Raises InvalidInput when the file is not there, is no file of these kinds, or does not fit the model.
    """
    kind = path.suffix.lower()
    if kind not in _KINDS:
        raise InvalidInput(f"{path.name} is none of {', '.join(_KINDS)}: convert it to one of them.")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: check the path given with --input.")
    values = _values(path, kind, model)
    try:
        arrays = {spec.name: fitted(values[spec.name], spec) for spec in model.inputs}
    except InvalidInput as bad:
        raise InvalidInput(f"{path.name}: {bad}") from bad
    if first is None:
        return arrays
    return {spec.name: arrays[spec.name][:first] if spec.shape[:1] == (-1,) else arrays[spec.name]
            for spec in model.inputs}  # fmt: skip


def _values(path: Path, kind: str, model: Description) -> Mapping[str, Any]:
    """Values by the names of the model's inputs."""
    if kind == ".csv":
        return read_csv(path, model)
    if kind == ".json":
        written = read_json(path)
        if not written.by_name and written.alone is not None:
            return _alone(written.alone, path, model)
        return _named(written.by_name, path, model, strict=written.strict)
    try:
        if kind == ".npy":
            return _alone(read_npy(path), path, model)
        arrays = read_npz(path)
    except InvalidEntry as bad:
        raise InvalidInput(str(bad)) from bad
    inputs = {name.removeprefix("input:"): array for name, array in arrays.items() if name.startswith("input:")}
    return _named(inputs or arrays, path, model, strict=bool(inputs))


def _alone(values: Any, path: Path, model: Description) -> Mapping[str, Any]:
    if isinstance(values, list) and values and all(isinstance(row, dict) for row in values):
        wanted = ", ".join(f'"{spec.name}": [...]' for spec in model.inputs)
        raise InvalidInput(
            f"{path.name} is a list of objects, one a row: write one object with the rows of every input, {{{wanted}}}."
        )
    if len(model.inputs) != 1:
        names = ", ".join(spec.name for spec in model.inputs)
        raise InvalidInput(f"{model.name} takes {len(model.inputs)} inputs: name them ({names}) in {path.name}.")
    return {model.inputs[0].name: values}


def _named(values: Mapping[str, Any], path: Path, model: Description, *, strict: bool) -> Mapping[str, Any]:
    """Checked names; one array by another name is the input of a model with one, unless that is `strict`."""
    names = [spec.name for spec in model.inputs]
    if not strict and len(values) == 1 and len(names) == 1:
        return {names[0]: next(iter(values.values()))}
    missing = [name for name in names if name not in values]
    there = ", ".join(sorted(values)) or "nothing"
    if missing:
        raise InvalidInput(
            f"{path.name} has no values for input {missing[0]!r} of {model.name}, which takes {', '.join(names)}; "
            f"the file holds {there}."
        )
    strange = sorted(set(values) - set(names)) if path.suffix.lower() == ".json" else []
    if strange:
        raise InvalidInput(
            f"{path.name} gives {strange[0]!r}, which {model.name} does not take: it takes {', '.join(names)}."
        )
    return values
