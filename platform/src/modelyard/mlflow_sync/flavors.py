"""What MLflow keeps of a model, by its flavor: the file that is taken, and its name in an entry's folder. Pure.

| flavor | kept as | taken as | reading it |
|---|---|---|---|
| onnx | the file that `data` names, weights beside it | model.onnx | runs nothing |
| sklearn | model.skops, else a pickle | under its own ending | a pickle runs code |
| lightgbm | model.lgb of a Booster; model.skops or a pickle of others | model.txt; under its own ending | the same |
| xgboost | model.ubj, .json or, before MLflow 3, .xgb | model.ubj, model.json | runs nothing |
| catboost | model.cb | model.cbm | runs nothing |
| pytorch | data/model.pt2, or a pickle of Python classes | model.pt2 | may run code; the pickle is refused |
| keras, tensorflow | data/model.keras, or a SavedModel | model.keras | may run code; a SavedModel is refused |

Files that run nothing are read by whoever syncs, wherever that is; others only for a person who trusts them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import InvalidEntry, UnsupportedModel

LOG_ONNX = "log it with mlflow.onnx.log_model and register that"
FRAMEWORKS = {
    "onnx": "onnx", "sklearn": "scikit-learn", "lightgbm": "lightgbm", "xgboost": "xgboost", "catboost": "catboost",
    "pytorch": "pytorch", "keras": "tensorflow", "tensorflow": "tensorflow",
}  # fmt: skip
"""Flavors that are taken, the first that a model has before others, and what an entry calls their framework."""
_PICKLES = (".pkl", ".pickle", ".joblib")
_ESTIMATORS = {suffix: f"model{suffix}" for suffix in (".skops", *_PICKLES)}
_FILES = {
    "onnx": ("data", {"": "model.onnx"}),
    "sklearn": ("pickled_model", _ESTIMATORS),
    "lightgbm": ("data", {".lgb": "model.txt", ".txt": "model.txt", **_ESTIMATORS}),
    "xgboost": ("data", {".ubj": "model.ubj", ".xgb": "model.ubj", ".json": "model.json"}),
    "catboost": ("data", {".cb": "model.cbm", ".cbm": "model.cbm"}),
}
"""By flavor, the field of its MLmodel that names the file, and names here by the file's ending."""
_FOLDERS = {
    "pytorch": ("model_data", "model.pt2", "a program of PyTorch"),
    "keras": ("data", "model.keras", "a program of Keras"),
    "tensorflow": ("data", "model.keras", "a program of Keras"),
}
"""The same for a file in a folder, and what it is."""


@dataclass(frozen=True)
class KeptModel:
    """A `file` of MLflow's, its `name` in an entry's folder, and what it is where reading it runs code."""

    flavor: str
    file: str
    name: str
    runs: str = ""

    @property
    def framework(self) -> str:
        """What the entry says of it."""
        return FRAMEWORKS[self.flavor]


def kept_model(flavors: Mapping[str, Any], called: str, listed: Callable[[str], Collection[str]]) -> KeptModel:
    """What is taken of a model with these flavors of its MLmodel; `listed` gives the files in a folder beside it.

    Raises UnsupportedModel for what nothing here converts, InvalidEntry for a name that leads elsewhere.
    """
    flavor = next((flavor for flavor in FRAMEWORKS if isinstance(flavors.get(flavor), Mapping)), None)
    if flavor is None:
        has = ", ".join(sorted(map(str, flavors))) or "none"
        known = ", ".join(FRAMEWORKS)
        raise UnsupportedModel(
            f"{called} has only the flavors {has}, and those that become ONNX are {known}; {LOG_ONNX}."
        )
    options = flavors[flavor]
    if flavor in _FOLDERS:
        return _in_folder(flavor, options, called, listed)
    field, names = _FILES[flavor]
    file = safe_name(options.get(field), called)
    name = names.get("" if flavor == "onnx" else PurePosixPath(file).suffix)
    if name is None:
        raise UnsupportedModel(f"{called} is kept as {file}, which nothing here converts; {LOG_ONNX}.")
    return KeptModel(flavor, file, name, "a pickle" if name.endswith(_PICKLES) else "")


def safe_name(name: object, called: str) -> str:
    """The name of a file beside the MLmodel; raises InvalidEntry when it is none."""
    if not isinstance(name, str) or not is_safe_path(name) or "/" in name:
        raise InvalidEntry(f"MLmodel of {called} names {str(name)[:100]!r}, which is no file beside it; {LOG_ONNX}.")
    return name


def _in_folder(
    flavor: str, options: Mapping[str, Any], called: str, listed: Callable[[str], Collection[str]]
) -> KeptModel:
    field, name, what = _FOLDERS[flavor]
    if flavor == "tensorflow" and field not in options:
        raise UnsupportedModel(
            f"{called} is a SavedModel, which is not fetched from MLflow; download it with "
            "mlflow.artifacts.download_artifacts, and `modelyard push` its folder with --trust-pickle and --sample."
        )
    folder = safe_name(options.get(field, "data"), called)
    if name not in listed(folder):
        raise UnsupportedModel(f"{called} keeps no {name} in {folder}, {_INSTEAD[flavor]}; or {LOG_ONNX}.")
    return KeptModel(flavor, f"{folder}/{name}", name, what)


_INSTEAD = {
    "pytorch": "but a pickle of classes of its author's, which only their program can read: log it with "
    'mlflow.pytorch.log_model(..., input_example=x, serialization_format="pt2")',
    "keras": "but another form of Keras': log it as Keras 3 writes it (mlflow.keras.log_model)",
    "tensorflow": "but another form of Keras': log it as Keras 3 writes it (mlflow.keras.log_model)",
}
