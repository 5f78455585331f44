"""A recipe that trains anew: a function of the author's, called as retrain(rows, out).

`rows` are arrays of labelled rows, the oldest first: `input:NAME` as the model takes them, `truth` (places of classes
as integers, or numbers), `time` (of the answer, seconds since 1970) and `weight` (one of how many was recorded). What
was learnt from before lies beside the function. `out` is an empty folder, in which it leaves model.onnx, and below
training/ whatever the next retraining needs. It may use what its Python has; torch is not needed.
"""

from pathlib import Path
from typing import Any

import numpy as np

from .author_code import called

ROWS = "labelled-rows.npz"
MODEL = "model.onnx"


def retrained(job: dict[str, Any]) -> dict[str, Any]:
    """Calls the function; {"files": what it left, "rows": how many it got}. ValueError when that is no model."""
    folder, out = Path(job["folder"]), Path(job["out"])
    with np.load(folder / ROWS, allow_pickle=False) as arrays:
        rows = {name: arrays[name] for name in arrays.files}
    called(folder, job["recipe"], rows, out)
    left = sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())
    if MODEL not in left:
        there = ", ".join(left) or "nothing"
        raise ValueError(f"{job['recipe']} left no {MODEL} in the folder it was given, but {there}")
    return {"files": left, "rows": len(rows["truth"])}
