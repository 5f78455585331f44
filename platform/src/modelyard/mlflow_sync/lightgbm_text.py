"""The text of LightGBM's own in a .skops of one of its estimators, which is how MLflow keeps them.

A .skops is a zip file with a tree of values in schema.json. LightGBM puts its model there as the text that
`Booster.save_model` writes, so it can be taken out as data: neither LightGBM nor skops has to be here, and nothing of
the file is run. What the text does not hold is refused: the names of classes. A training that stopped early has its
best rounds in it and no others, because LightGBM cuts the rest.
"""

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from modelyard.errors import InvalidEntry, UnsupportedModel

_SCHEMA, _LARGEST = "schema.json", 1 << 30
_BOOSTER = ("lightgbm.basic", "Booster")
_OWN = "log its booster (mlflow.lightgbm.log_model(model.booster_, ...))"
_TRUST = "or bring it in with `modelyard mlflow sync NAME --trust-pickle` where lightgbm is installed"


def lightgbm_text(path: Path, called: str) -> str:
    """The text of the model in the .skops at `path`, which is of the version `called`.

    Raises InvalidEntry when it is no such file, UnsupportedModel when its classes have names.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_SCHEMA).file_size > _LARGEST:
                raise InvalidEntry(f"{called} is larger than 1 GiB; {_OWN}.")
            state = json.loads(archive.read(_SCHEMA))["content"]["content"]
            booster = state["_Booster"]
            if (booster["__module__"], booster["__class__"]) != _BOOSTER:
                raise KeyError(booster["__class__"])
            inner = booster["content"]["content"]
            text = _value(inner["_handle"])
            classes = _classes(archive, state.get("_classes"))
    except (zipfile.BadZipFile, zlib.error, KeyError, TypeError, ValueError, AttributeError, RuntimeError) as bad:
        raise InvalidEntry(
            f"{called} is kept as skops of another form than LightGBM's estimators have; {_OWN}."
        ) from bad
    if classes is not None and classes != list(range(len(classes))):
        named = ", ".join(map(str, classes[:3]))
        raise UnsupportedModel(f"{called} has classes with names ({named}), which LightGBM's text lacks; {_TRUST}.")
    return text


def _value(node: Any) -> Any:
    """What a node of plain values holds: its content is JSON, once more."""
    return json.loads(node["content"])


def _classes(archive: zipfile.ZipFile, node: Any) -> list[Any] | None:
    """The classes of a classifier; None of others."""
    import numpy as np

    if node is None or node["__loader__"] != "NdArrayNode":
        return None
    if node["type"] != "numpy":
        return [_value(part) for part in node["content"]]
    member = archive.getinfo(node["file"])
    if member.file_size > _LARGEST:
        raise ValueError(node["file"])
    return np.load(io.BytesIO(archive.read(member)), allow_pickle=False).tolist()
