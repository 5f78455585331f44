"""A LightGBM model in its own text, `Booster.save_model("model.txt")`."""

from pathlib import Path
from typing import Any

import lightgbm  # type: ignore[import-not-found]
import numpy as np

from . import lightgbm_trees
from .graphs import INPUT, answers_of, write_both

_QUIET = {"verbosity": -1}


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Writes single.onnx and double.onnx; its columns and the version of the library that reads it."""
    booster = _booster(path)
    write_both(lightgbm_trees.read(booster.dump_model()), booster.num_feature(), folder)
    return {"version": lightgbm.__version__, "columns": list(booster.feature_name())}


def answer(path: Path, rows: dict[str, Any]) -> dict[str, Any]:
    """Its own answers to rows["input"], [rows, columns] in float64."""
    booster = _booster(path)
    told = booster.predict(np.asarray(rows[INPUT], np.float64), num_threads=1)
    return answers_of(told, lightgbm_trees.read(booster.dump_model()).classes)


def _booster(path: Path) -> Any:
    return lightgbm.Booster(params=_QUIET, model_file=str(path))
