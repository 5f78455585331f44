"""Runs Olive on one ONNX model, in the environment that has Olive: it imports nothing of ours.

    python olive_program.py JOB

JOB is a JSON file: `model`, an .onnx or MiniLM's encoder.py, which Olive then exports itself; `inputs` (an .npz of
arrays by input name), `passes` as Olive writes them and `folder`. The last line of stdout is the model Olive made.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import olive  # type: ignore[reportMissingImports]
from olive.data.registry import Registry  # type: ignore[reportMissingImports]


class Rows:
    """The rows of an .npz as Olive's data loaders want them: pairs of inputs by name and a label."""

    def __init__(self, path: str) -> None:
        with np.load(path) as arrays:
            self._arrays = {name: arrays[name] for name in arrays.files}

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    def __getitem__(self, row: int) -> tuple[dict[str, Any], int]:
        if row >= len(self):
            raise IndexError(row)
        return {name: array[row] for name, array in self._arrays.items()}, 0


@Registry.register_dataset()
def rows_of_npz(path: str, **_: Any) -> Rows:
    """Olive finds it by this name."""
    return Rows(path)


def source(model: Path, inputs: Path) -> dict[str, Any]:
    """The model as Olive wants it; a module is loaded by this program and described by two rows of its inputs."""
    if model.suffix == ".onnx":
        return {"type": "ONNXModel", "model_path": str(model)}
    sys.path.insert(0, str(model.parent))
    from encoder import pretrained  # type: ignore[reportMissingImports]

    with np.load(inputs) as arrays:
        shapes = {name: [2, *arrays[name].shape[1:]] for name in arrays.files}
    axes = {name: {"0": "batch", "1": "tokens"} for name in shapes}
    described = {
        "input_names": list(shapes),
        "input_shapes": list(shapes.values()),
        "input_types": ["int64"] * len(shapes),
        "output_names": ["sentence_embedding"],
        "dynamic_axes": {**axes, "sentence_embedding": {"0": "batch"}},
    }
    return {"type": "PyTorchModel", "model_loader": lambda *_: pretrained("eager"), "io_config": described}


def main(job: dict[str, Any]) -> None:
    """One workflow: the passes in their order, no search (Olive 0.13's crashes with current optuna)."""
    data = {
        "name": "rows",
        "type": "DataContainer",
        "load_dataset_config": {"type": "rows_of_npz", "params": {"path": job["inputs"]}},
        "pre_process_data_config": {"type": "skip_pre_process"},
        "post_process_data_config": {"type": "skip_post_process"},
        "dataloader_config": {"params": {"batch_size": 1}},
    }
    folder = Path(job["folder"])
    workflow = {
        "input_model": source(Path(job["model"]), Path(job["inputs"])),
        "data_configs": [data],
        "passes": job["passes"],
        "output_dir": str(folder / "out"),
        "cache_dir": str(folder / "cache"),
        "log_severity_level": 3,
    }
    best = olive.run(workflow).get_best_candidate()
    print(best.model_path)


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
