"""A version of MLflow's as an entry folder.

    flavor onnx       model.onnx and the files of its weights, as they are
    flavor sklearn    a .skops, or a pickle, converted here as `modelyard push` does; a pickle only where it is trusted
    anything else     refused, with what to log instead

An eval.npz, config.pbtxt or profile.json that was logged beside the model is taken along.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from modelyard.api.entry import EntryMetadata, MlflowOrigin
from modelyard.builder.artifacts.source import ESTIMATORS, PICKLES, read_source
from modelyard.builder.artifacts.staging import Naming, stage
from modelyard.clients.mlflow import MlflowServer, ModelVersion, RegisteredModel
from modelyard.core.storage.entry_metadata import METADATA
from modelyard.core.storage.keys import is_safe_path
from modelyard.core.storage.yaml_text import parse_yaml
from modelyard.errors import InvalidEntry, UnsupportedModel

MLMODEL = "MLmodel"
TASK_TAG = "modelyard.task"
_ONNX, _WEIGHTS = "model.onnx", ".data"
_BESIDE = ("eval.npz", "config.pbtxt", "profile.json")
_FRAMEWORKS = {"onnx": "onnx", "sklearn": "scikit-learn"}
_LOG_ONNX = "log it with mlflow.onnx.log_model and register that"


@dataclass(frozen=True)
class _Artifacts:
    """The files of a version: `folder` behind the server's proxy, `sizes` by name, and what its MLmodel says."""

    server: MlflowServer
    folder: str
    sizes: dict[str, int]
    flavors: dict[str, Any]

    def get(self, name: str, target: Path) -> None:
        self.server.download(self.folder, name, target)


def entry_folder(
    server: MlflowServer, model: RegisteredModel, found: ModelVersion, name: str, scratch: Path, trust_pickle: bool
) -> Path:
    """Downloads a version into an entry folder in SCRATCH, and checks it as a push does.

    Raises InvalidEntry or UnsupportedModel for what cannot be served, and what the server raises.
    """
    artifacts = _artifacts(server, model, found, scratch)
    folder = scratch / "entry"
    folder.mkdir()
    flavor = _model(artifacts, f"{model.name} version {found.version}", folder, trust_pickle)
    for beside in _BESIDE:
        if beside in artifacts.sizes:
            artifacts.get(beside, folder / beside)
    folder = stage(folder, scratch / "staged", Naming(trust_pickle=trust_pickle))
    origin = MlflowOrigin(model=model.name, uri=found.source, run_id=found.run_id, flavor=flavor)
    described = {
        "name": name,
        "version": found.version,
        "framework": _FRAMEWORKS[flavor],
        "task": found.tags.get(TASK_TAG, "")[:64] or "other",
        "metrics": server.metrics(found.run_id) if found.run_id else {},
        "mlflow": origin,
    }
    metadata = EntryMetadata.model_validate(described)
    written = metadata.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / METADATA).write_text(yaml.safe_dump(written, sort_keys=False))
    read_source(folder)
    return folder


def _artifacts(server: MlflowServer, model: RegisteredModel, found: ModelVersion, scratch: Path) -> _Artifacts:
    place = server.folder(model.name, found.version)
    sizes, called = server.files(place), f"{model.name} version {found.version}"
    if MLMODEL not in sizes:
        raise InvalidEntry(f"{called} has no file {MLMODEL}, so it is no model that MLflow logged; {_LOG_ONNX}.")
    described = scratch / MLMODEL
    server.download(place, MLMODEL, described)
    values = parse_yaml(described.read_bytes(), f"{MLMODEL} of {called}")
    flavors = values.get("flavors") if isinstance(values, dict) else None
    if not isinstance(flavors, dict):
        raise InvalidEntry(f"{MLMODEL} of {called} names no flavors; {_LOG_ONNX}.")
    return _Artifacts(server, place, sizes, flavors)


def _model(artifacts: _Artifacts, called: str, folder: Path, trust_pickle: bool) -> str:
    """Downloads the model's own files into FOLDER; the flavor they are of."""
    onnx, sklearn = (artifacts.flavors.get(flavor) for flavor in ("onnx", "sklearn"))
    if isinstance(onnx, dict):
        artifacts.get(_safe(onnx.get("data"), called), folder / _ONNX)
        for weights in sorted(name for name in artifacts.sizes if name.endswith(_WEIGHTS)):
            artifacts.get(weights, folder / _safe(weights, called))
        return "onnx"
    if not isinstance(sklearn, dict):
        has = ", ".join(sorted(map(str, artifacts.flavors))) or "none"
        raise UnsupportedModel(f"{called} has only the flavors {has}, and what is served is ONNX; {_LOG_ONNX}.")
    pickled = _safe(sklearn.get("pickled_model"), called)
    if Path(pickled).suffix not in ESTIMATORS:
        raise UnsupportedModel(f"{called} is kept as {pickled}, which nothing here converts; {_LOG_ONNX}.")
    if Path(pickled).suffix in PICKLES and not trust_pickle:
        raise InvalidEntry(
            f"{called} is a pickle, which runs code when it is read; {_LOG_ONNX}, or bring it in with "
            "`modelyard mlflow sync NAME --trust-pickle` if it comes from somebody you trust."
        )
    artifacts.get(pickled, folder / f"model{Path(pickled).suffix}")
    return "sklearn"


def _safe(name: object, called: str) -> str:
    if not isinstance(name, str) or not is_safe_path(name) or "/" in name:
        raise InvalidEntry(f"{MLMODEL} of {called} names {str(name)[:100]!r}, which is no file beside it; {_LOG_ONNX}.")
    return name
