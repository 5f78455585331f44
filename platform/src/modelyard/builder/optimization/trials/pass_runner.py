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
from modelyard.builder.optimization.pass_api import EvaluationData, Hardware, ModelArtifact, Pass, Precision
from modelyard.core.failure_causes import blamed
from modelyard.errors import InvalidEntry, ModelyardError, UnsupportedModel

_RUNTIMES = {"onnx": "onnxruntime", "openvino": "openvino", "tensorrt": "tensorrt"}


def registry(where: str) -> Mapping[str, Pass]:
    """The passes by name; `where` is MODULE:NAME."""
    module, _, name = where.partition(":")
    return getattr(import_module(module), name)


def made(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The last step's material as JSON; raises UnsupportedModel or HostFailure with the step that would not."""
    import numpy as np

    random.seed(job["seed"])
    np.random.seed(job["seed"])  # libraries that passes call draw from the global generator
    hardware = Hardware(job["cores"], frozenset(job["flags"]), job["gpu"])
    evaluation = evaluation_of(Path(job["data"]), job["metric"]) if job["metric"] else None
    material = ModelArtifact(Path(job["original"]), "onnx", Precision(job["precision"]), tuple(job["passes_before"]))
    passes = registry(job["passes"])
    for place, (name, params) in enumerate(job["steps"]):
        if name not in passes:
            raise InvalidEntry(f"there is no pass {name!r}; there are {', '.join(sorted(passes))}.")
        material = _step(passes[name], material, folder / f"{place}-{name}", params, hardware, evaluation)
    names = files_of(material)
    return {
        "path": str(material.path),
        "precision": material.precision,
        "runtime": _RUNTIMES[material.kind],
        "passes": list(material.passes),
        "files": names,
        "size": sum((material.path.parent / file).stat().st_size for file in names),
    }


def files_of(material: ModelArtifact) -> list[str]:
    """The model file and its weights, by name in their folder."""
    if material.kind == "openvino":
        return [material.path.name, material.path.with_suffix(".bin").name]
    if material.kind == "tensorrt":
        return [material.path.name, material.path.with_suffix(".json").name]
    return [material.path.name, *inspect(material.path).data_files]


def _step(
    one: Pass,
    material: ModelArtifact,
    folder: Path,
    params: dict[str, Any],
    hardware: Hardware,
    data: EvaluationData | None,
) -> ModelArtifact:
    if one.needs_data and data is None:
        raise UnsupportedModel(f"{one.name} needs data: add an eval.npz to the entry.")
    against = one.applies(material, hardware, data)
    if against is not None:
        raise UnsupportedModel(f"{one.name} does not apply: {against}")
    folder.mkdir(parents=True)
    defaults = {name: values[0] for name, values in one.space.items()}
    try:
        done = one.run(material, folder, {**defaults, **params}, data)
    except MemoryError:
        raise
    except ModuleNotFoundError as missing:
        words = f"{one.name} needs the package {missing.name}: pip install 'modelyard[optimize]'."
        raise UnsupportedModel(words) from missing
    except Exception as bad:  # a pass calls libraries that raise anything
        words = " ".join(str(bad).split())[:300].replace(str(folder), folder.name)
        raise blamed(bad, f"{one.name} failed with {type(bad).__name__}: {words}") from bad
    if not done.path.is_file() or not done.path.resolve().is_relative_to(folder.resolve()):
        raise UnsupportedModel(f"{one.name} left no model in its folder.")
    return ModelArtifact(done.path, done.kind, done.precision, (*material.passes, one.name))


def main(job: Path, result: Path) -> int:
    """Writes the material, or the reason why there is none, as JSON; 0 in both cases."""
    try:
        found = made(json.loads(job.read_text()), result.parent)
    except ModelyardError as bad:
        found = {"error": {"reason": bad.reason, "message": str(bad)}}
    result.write_text(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
