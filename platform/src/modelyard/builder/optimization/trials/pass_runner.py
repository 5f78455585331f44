"""Runs one recipe in a process of its own, because a pass may crash, hang or devour memory.

    python -m modelyard.builder.optimization.trials.pass_runner JOB RESULT

JOB is a JSON file: recipe steps, what they begin with, hardware, where the evaluation set is, the seed, and the
registry of passes as MODULE:NAME. Each step writes to a folder of its own beside RESULT.
"""

import json
import random
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.evaluation_data import evaluation_of
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.inspection.node_names import require_valid
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Pass, Precision
from modelyard.core.failure_causes import blamed
from modelyard.errors import InvalidEntry, ModelyardError, UnsupportedModel

_RUNTIMES = {"onnx": "onnxruntime", "openvino": "openvino", "tensorrt": "tensorrt"}


def registry(where: str) -> Mapping[str, Pass]:
    """The passes by name; `where` is MODULE:NAME."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def made(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Runs the steps of JOB below FOLDER; gives path, precision, runtime, passes, files and size (bytes) as JSON.

    Raises InvalidEntry for an unknown pass, UnsupportedModel or HostFailure with the step that failed.
    """
    import numpy as np

    random.seed(job["seed"])
    np.random.seed(job["seed"])  # libraries that passes call draw from the global generator
    hardware = Hardware(job["cores"], frozenset(job["flags"]), job["gpu"])
    evaluation = evaluation_of(Path(job["data"]), job["metric"]) if job["metric"] else None
    artifact = ModelArtifact(Path(job["original"]), "onnx", Precision(job["precision"]), tuple(job["passes_before"]))
    passes = registry(job["passes"])
    for place, (name, params) in enumerate(job["steps"]):
        if name not in passes:
            raise InvalidEntry(f"there is no pass {name!r}; there are {', '.join(sorted(passes))}.")
        artifact = _step(passes[name], artifact, folder / f"{place}-{name}", params, hardware, evaluation)
    names = files_of(artifact)
    return {
        "path": str(artifact.path),
        "precision": artifact.precision,
        "runtime": _RUNTIMES[artifact.kind],
        "passes": list(artifact.passes),
        "files": names,
        "size": sum((artifact.path.parent / file).stat().st_size for file in names),
    }


def files_of(artifact: ModelArtifact) -> list[str]:
    """Names of the model file and of its weights, in their folder."""
    if artifact.kind == "openvino":
        return [artifact.path.name, artifact.path.with_suffix(".bin").name]
    if artifact.kind == "tensorrt":
        return [artifact.path.name, artifact.path.with_suffix(".json").name]
    return [artifact.path.name, *inspect(artifact.path).data_files]


def _step(
    rewrite: Pass,
    artifact: ModelArtifact,
    folder: Path,
    params: dict[str, Any],
    hardware: Hardware,
    data: EvaluationData | None,
) -> ModelArtifact:
    if rewrite.needs_data and data is None:
        raise UnsupportedModel(f"{rewrite.name} needs data: add an eval.npz to the entry.")
    against = rewrite.applies(artifact, hardware, data)
    if against is not None:
        raise UnsupportedModel(f"{rewrite.name} does not apply: {against}")
    folder.mkdir(parents=True)
    defaults = {name: values[0] for name, values in rewrite.space.items()}
    try:
        done = rewrite.run(artifact, folder, {**defaults, **params}, data)
        if done.kind == "onnx" and done.path.is_file():
            require_valid(done.path, artifact.path if artifact.kind == "onnx" else None)
    except MemoryError:
        raise
    except ModuleNotFoundError as missing:
        words = f"{rewrite.name} needs the package {missing.name}: pip install 'modelyard[optimize]'."
        raise UnsupportedModel(words) from missing
    except Exception as bad:  # a pass calls libraries that raise anything
        words = " ".join(str(bad).split())[:300].replace(str(folder), folder.name)
        raise blamed(bad, f"{rewrite.name} failed with {type(bad).__name__}: {words}") from bad
    if not done.path.is_file() or not done.path.resolve().is_relative_to(folder.resolve()):
        raise UnsupportedModel(f"{rewrite.name} left no model in its folder.")
    return ModelArtifact(done.path, done.kind, done.precision, (*artifact.passes, rewrite.name))


def main(job: Path, result: Path) -> int:
    """Writes what was made, or the reason why nothing was, as JSON; 0 in both cases."""
    try:
        outcome = made(json.loads(job.read_text()), result.parent)
    except ModelyardError as bad:
        outcome = {"error": {"reason": bad.reason, "message": str(bad)}}
    result.write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
