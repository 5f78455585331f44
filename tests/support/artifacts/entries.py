"""Entry folders made on the spot."""

from pathlib import Path
from typing import Any

import numpy as np
import yaml

from tests.support.artifacts.onnx_models import doubling, saved


def an_entry(
    folder: Path,
    proto: Any = None,
    arrays: dict[str, Any] | None = None,
    **metadata: Any,
) -> Path:
    """An entry folder: a model (doubling by default), modelyard.yaml, and eval.npz when arrays are given."""
    saved(proto or doubling(), folder / "model.onnx")
    described = {
        "name": "toy",
        "version": "1",
        "framework": "onnx",
        "task": "doubling",
        **metadata,
    }
    (folder / "modelyard.yaml").write_text(yaml.safe_dump(described))
    if arrays is not None:
        np.savez(folder / "eval.npz", **arrays)
    return folder
