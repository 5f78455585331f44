"""An XGBoost model, `save_model("model.ubj")` or `.json`, of a Booster or of the scikit-learn interface."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xgboost  # type: ignore[import-not-found]

from . import xgboost_trees
from .graphs import INPUT, answers_of, write_both
from .trees import Boosted


def convert(path: Path, folder: Path) -> dict[str, Any]:
    """Writes single.onnx and double.onnx; its columns and the version of the library that reads it."""
    booster = _booster(path)
    write_both(_read(booster), booster.num_features(), folder)
    return {"version": xgboost.__version__, "columns": _columns(booster)}


def answer(path: Path, rows: dict[str, Any]) -> dict[str, Any]:
    """Its own answers to rows["input"], [rows, columns] in float64."""
    booster = _booster(path)
    boosted = _read(booster)
    margins = boosted.classes == boosted.targets  # multi:softmax gives the class alone
    kind = "margin" if margins else "value"
    given = np.asarray(rows[INPUT], np.float64)
    told = booster.inplace_predict(given, predict_type=kind, validate_features=False)
    return answers_of(_softmax(told) if margins else told, boosted.classes)


def _softmax(margins: Any) -> Any:
    powers = np.exp(margins - margins.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _read(booster: Any) -> Boosted:
    return xgboost_trees.read(json.loads(bytes(booster.save_raw("json"))))


def _columns(booster: Any) -> list[str]:
    return list(booster.feature_names or (f"f{place}" for place in range(booster.num_features())))


def _booster(path: Path) -> Any:
    booster = xgboost.Booster(params={"nthread": 1, "verbosity": 0})
    booster.load_model(str(path))
    return booster
