"""`python -I start.py SITE NAME VERB MODEL RESULT FOLDER`: where the environment of a framework enters.

    convert    FOLDER gets single.onnx and maybe double.onnx; RESULT {"version", "columns"}
    answer     FOLDER has rows.npz and gets answers.npz; RESULT {}

RESULT gets {"cannot": why} for what ONNX has no word for. SITE has the framework's packages, or is empty where this
Python has them.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any


def main(site: str, name: str, verb: str, model: str, result: str, folder: str) -> None:
    """Carries out a verb and leaves its result; ends with the first line of what went wrong."""
    sys.path[:0] = [*filter(None, [site]), str(Path(__file__).resolve().parents[1])]
    try:
        said = _said(name, verb, Path(model), Path(folder))
    except Exception as bad:  # noqa: BLE001 - libraries raise what they like
        first = (str(bad).strip().splitlines() or [""])[0]
        sys.exit(f"{type(bad).__name__}: {first}")
    Path(result).write_text(json.dumps(said))


def _said(name: str, verb: str, model: Path, folder: Path) -> dict[str, Any]:
    trees = importlib.import_module("programs.trees")
    program = importlib.import_module(f"programs.{name}_model")
    try:
        if verb == "convert":
            return program.convert(model, folder)
        _answer(program, model, folder)
        return {}
    except trees.CannotBeSaid as why:
        return {"cannot": str(why)}


def _answer(program: Any, model: Path, folder: Path) -> None:
    import numpy as np

    with np.load(folder / "rows.npz", allow_pickle=False) as rows:
        answers = program.answer(model, dict(rows))
    np.savez(folder / "answers.npz", **answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
