"""What touches a model while it is exported or checked, in a process of its own: the file may be hostile.

    python -m modelyard.builder.export.worker make PATH FORMAT FOLDER RESULT    writes what goes into the archive
    python -m modelyard.builder.export.worker check FORMAT FOLDER RESULT        asks an unpacked archive

Golden inputs are the first rows of the entry's eval.npz, all of it when rows cannot be separated, and otherwise the
sample that builds make up. Golden outputs are those the author expects; where eval.npz has none, and for an entry
that is held to a metric and not to every output (`evaluation` in modelyard.yaml), onnxruntime's.
Every format has to come as close to them as a build demands of onnxruntime: 1 % or 0.001.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.api.entry import Tensor
from modelyard.builder.artifacts.shared_layer import copy_judgement
from modelyard.builder.artifacts.source import ModelSource, read_source
from modelyard.builder.artifacts.validation import EVALUATION, JUDGEMENT, PROOF, gather
from modelyard.builder.artifacts.validation import MODEL as ONNX
from modelyard.builder.evaluation.evaluation_set import (
    ABSOLUTE,
    RELATIVE,
    close,
    copy_evaluation,
    largest_difference,
    read_arrays,
    read_evaluation,
)
from modelyard.builder.inference.sessions import Feed, open_model
from modelyard.builder.inspection.graph import Graph
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.triton.config import settled
from modelyard.core.failure_causes import blamed
from modelyard.errors import CorruptEntry, ModelyardError, UnsupportedModel

from .archive import CARD, CONFIG, GOLDEN, MODEL, save_arrays
from .formats import Format, format_of

ROWS = 4


def make(path: Path, form: Format, folder: Path) -> dict[str, Any]:
    """Fills FOLDER/archive with all but README and manifest; returns what the manifest says and how `check` went.

    Raises InvalidEntry or UnsupportedModel when the model cannot be converted or then answers otherwise.
    """
    source = read_source(path)
    source.needs_onnx("archives are made of ONNX models")
    original = folder / "original"
    graph = _copied(source, original)
    copy_judgement(source, original)
    findings = gather(original, served=False, deterministic=source.deterministic)
    inputs, outputs = golden(original, graph, bool(findings["batchable"]))
    archive = folder / "archive"
    archive.mkdir()
    save_arrays(archive / GOLDEN, _named(inputs, outputs))
    (archive / CONFIG).write_text(json.dumps(_config(source, graph, findings["outputShapes"]), indent=2) + "\n")
    converter = form.convert(original / ONNX, graph, archive / MODEL)
    card = path / CARD
    if path.is_dir() and card.is_file() and not card.is_symlink():
        shutil.copyfile(card, archive / CARD)
    metadata = source.metadata
    return {
        "name": source.name,
        "digest": source.digest(),
        "metadata": metadata.model_dump(mode="json", by_alias=True) if metadata else {},
        "origin": _origin(source),
        "rows": _rows(inputs),
        "converter": converter,
        **check(form, archive),
    }


def check(form: Format, folder: Path) -> dict[str, Any]:
    """Runs FOLDER/model on the inputs in FOLDER/golden.npz; returns runtime, rows and the largest difference an output.

    Raises CorruptEntry when golden.npz and config.json contradict each other, UnsupportedModel when an output differs.
    """
    arrays = read_arrays(folder / GOLDEN)
    inputs, outputs = _of(arrays, "input"), _of(arrays, "output")
    names = _names(folder / CONFIG)
    for kind, held in (("inputs", inputs), ("outputs", outputs)):
        if not held or names[kind] != set(held):
            raise CorruptEntry(f"{GOLDEN} and {CONFIG} name different {kind}; export again.")
    try:
        answer, runtime = form.answer(folder / MODEL / form.file, inputs)
    except ModelyardError:
        raise
    except Exception as bad:  # runtimes' exceptions share no base class
        message = " ".join(str(bad).split())[:300]
        raise blamed(bad, f"the {form.name} model fails on its golden inputs: {message}") from bad
    differences = {}
    for name, expected in outputs.items():
        if name not in answer:
            raise UnsupportedModel(f"the {form.name} model has no output {name!r}; export with --format onnx.")
        actual = np.asarray(answer[name])
        differences[name] = largest_difference(actual, expected) if actual.shape == expected.shape else -1.0
        if not close(actual, expected, RELATIVE, ABSOLUTE):
            how = f"by up to {differences[name]:.3g}" if differences[name] >= 0 else f"in shape: {list(actual.shape)}"
            raise UnsupportedModel(
                f"output {name!r} of the {form.name} model differs from the golden one {how}; do not ship it."
            )
    return {"runtime": runtime, "rows": _rows(inputs), "largestDifference": differences}


def golden(folder: Path, graph: Graph, batchable: bool) -> tuple[Feed, Feed]:
    """Golden inputs and outputs by name, at most 4 rows, for a model in FOLDER that `gather` has tried."""
    expected: Feed = {}
    if (folder / EVALUATION).is_file():
        evaluation = read_evaluation(folder / EVALUATION, graph)
        rows = ROWS if batchable and evaluation.rows else None
        inputs = {name: value[:rows] if rows else value for name, value in evaluation.inputs.items()}
        if not (folder / JUDGEMENT).is_file():
            expected = {name: value[:rows] if rows else value for name, value in evaluation.outputs.items()}
    else:
        inputs = _of(read_arrays(folder / PROOF), "input")
    answered = open_model(folder / ONNX, threads=1)(inputs)
    return inputs, {port.name: expected.get(port.name, answered[port.name]) for port in graph.outputs}


def _origin(source: ModelSource) -> str:
    if source.evaluation is None:
        return "generated"
    return "judged" if source.metadata and source.metadata.evaluation else "evaluation"


def _copied(source: ModelSource, folder: Path) -> Graph:
    for name, file in source.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / name)
    if source.evaluation:
        copy_evaluation(source.evaluation, source.graph, folder / EVALUATION)
    return inspect(folder / ONNX)


def _config(source: ModelSource, graph: Graph, shapes: dict[str, list[int]]) -> dict[str, Any]:
    metadata = source.metadata
    declared = (*metadata.inputs, *metadata.outputs) if metadata else ()
    words = {tensor.name: tensor.description for tensor in declared}
    kinds = {"inputs": graph.inputs, "outputs": settled(graph.outputs, shapes)}
    return {
        kind: [
            Tensor(
                name=port.name,
                datatype=port.datatype,
                shape=tuple(dim if isinstance(dim, int) else -1 for dim in port.dims or ()),
                description=words.get(port.name, ""),
            ).model_dump(mode="json", exclude_defaults=True)
            for port in ports
        ]
        for kind, ports in kinds.items()
    } | {"opset": graph.opset}


def _names(path: Path) -> dict[str, set[str]]:
    try:
        config = json.loads(path.read_bytes())
        return {kind: {tensor["name"] for tensor in config[kind]} for kind in ("inputs", "outputs")}
    except (ValueError, KeyError, TypeError) as bad:
        raise CorruptEntry(f"{path.name} does not name the inputs and outputs; export again.") from bad


def _named(inputs: Feed, outputs: Feed) -> Feed:
    return {f"input:{k}": v for k, v in inputs.items()} | {f"output:{k}": v for k, v in outputs.items()}


def _of(arrays: Feed, kind: str) -> Feed:
    return {k.removeprefix(f"{kind}:"): v for k, v in arrays.items() if k.startswith(f"{kind}:")}


def _rows(inputs: Feed) -> int:
    first = {value.shape[0] if value.ndim else 0 for value in inputs.values()}
    return first.pop() if len(first) == 1 else 1


def main(arguments: list[str]) -> int:
    """Writes what was found, or the error as {"reason", "message"}; 0 in both cases."""
    verb, *rest = arguments
    try:
        if verb == "make":
            outcome = make(Path(rest[0]), format_of(rest[1]), Path(rest[2]))
        else:
            outcome = check(format_of(rest[0]), Path(rest[1]))
    except ModelyardError as bad:
        outcome = {"error": {"reason": bad.reason, "message": str(bad)}}
    Path(rest[-1]).write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
