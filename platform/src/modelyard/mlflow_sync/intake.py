"""A version of MLflow's as an entry folder: what `flavors` names, converted as `modelyard push` converts it.

    ONNX                  as it is
    data of a framework   read by its framework, in a process and an environment of its own, where that can be had
    what may run code     only where it is trusted, on the machine of who says so; never in the cluster

A conversion is proved on rows: of --sample, of an eval.npz that was logged beside the model, or its input example. An
eval.npz, config.pbtxt or profile.json beside the model is taken along.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from modelyard.api.entry import EntryMetadata
from modelyard.builder.artifacts.source import ESTIMATORS, read_source
from modelyard.builder.artifacts.staging import Naming, stage
from modelyard.builder.evaluation.evaluation_set import EVALUATION
from modelyard.clients.mlflow import MlflowServer, ModelVersion, RegisteredModel
from modelyard.core.storage.entry_metadata import METADATA
from modelyard.core.storage.yaml_text import parse_yaml
from modelyard.errors import InvalidEntry, InvalidInput, InvalidSettings, Unreachable

from .flavors import LOG_ONNX, KeptModel, kept_model, safe_name
from .input_example import LARGEST, example_rows
from .lightgbm_text import lightgbm_text

MLMODEL = "MLmodel"
TASK_TAG = "modelyard.task"
_WEIGHTS = ".data"
_BESIDE = (EVALUATION, "config.pbtxt", "profile.json")
_ROWS = (
    "Log it with input_example=X.head(400) or an eval.npz beside it, or bring it in with `modelyard mlflow sync NAME "
    "--sample rows.csv`."
)
_ELSEWHERE = "`modelyard mlflow sync NAME` brings it in from a machine that has that."


@dataclass(frozen=True)
class _Artifacts:
    """The files of a version: `folder` behind the server's proxy, `sizes` by name, and what its MLmodel says."""

    server: MlflowServer
    folder: str
    called: str
    sizes: dict[str, int]
    flavors: dict[str, Any]
    example: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, target: Path) -> None:
        self.server.download(self.folder, name, target)

    def listed(self, folder: str) -> dict[str, int]:
        return self.server.files(f"{self.folder}/{folder}")


def entry_folder(
    server: MlflowServer,
    model: RegisteredModel,
    found: ModelVersion,
    name: str,
    scratch: Path,
    trust_pickle: bool,
    sample: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Downloads a version into an entry folder in SCRATCH, and checks it as a push does.

    `sample` has rows to prove a conversion on, `say` gets the proof. Raises InvalidEntry or UnsupportedModel for what
    cannot be served, InvalidSettings or Unreachable where its framework cannot be had, and what the server raises.
    """
    artifacts = _artifacts(server, model, found, scratch)
    folder = scratch / "entry"
    folder.mkdir()
    kept = _model(artifacts, folder, scratch, trust_pickle)
    for beside in _BESIDE:
        if beside in artifacts.sizes:
            artifacts.get(beside, folder / beside)
    if kept.flavor != "onnx":
        sample = sample or _example(artifacts, scratch)
        folder = _converted(folder, scratch, Naming(trust_pickle=trust_pickle, sample=sample, say=say))
    elif sample is not None:
        say(f"{artifacts.called} is ONNX: nothing is converted, and {sample.name} not read")
    described = {
        "name": name,
        "version": found.version,
        "framework": kept.framework,
        "task": found.tags.get(TASK_TAG, "")[:64] or "other",
        "metrics": server.metrics(found.run_id) if found.run_id else {},
        "mlflow": {"model": model.name, "uri": found.source, "run_id": found.run_id, "flavor": kept.flavor},
    }
    try:
        metadata = EntryMetadata.model_validate(described)
    except ValidationError as bad:
        first = bad.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidEntry(
            f"{artifacts.called} has a {where} in MLflow that no entry can have ({first['msg']}); register it again."
        ) from bad
    written = metadata.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / METADATA).write_text(yaml.safe_dump(written, sort_keys=False))
    read_source(folder)
    return folder


def _artifacts(server: MlflowServer, model: RegisteredModel, found: ModelVersion, scratch: Path) -> _Artifacts:
    place = server.folder(model.name, found.version)
    sizes, called = server.files(place), f"{model.name} version {found.version}"
    if MLMODEL not in sizes:
        raise InvalidEntry(f"{called} has no file {MLMODEL}, so it is no model that MLflow logged; {LOG_ONNX}.")
    described = scratch / MLMODEL
    server.download(place, MLMODEL, described)
    values = parse_yaml(described.read_bytes(), f"{MLMODEL} of {called}")
    flavors = values.get("flavors") if isinstance(values, dict) else None
    if not isinstance(flavors, dict):
        raise InvalidEntry(f"{MLMODEL} of {called} names no flavors; {LOG_ONNX}.")
    example = values.get("saved_input_example_info")
    return _Artifacts(server, place, called, sizes, flavors, example if isinstance(example, dict) else {})


def _model(artifacts: _Artifacts, folder: Path, scratch: Path, trust_pickle: bool) -> KeptModel:
    """Downloads the model's own files into FOLDER; raises InvalidEntry when it would have to be trusted and is not."""
    called = artifacts.called
    kept = kept_model(artifacts.flavors, called, artifacts.listed)
    if kept.runs and not trust_pickle:
        raise InvalidEntry(
            f"{called} is {kept.runs}, which may run code when it is read; {LOG_ONNX}, or bring it in with `modelyard "
            "mlflow sync NAME --trust-pickle` if it comes from somebody you trust."
        )
    if kept.flavor == "lightgbm" and kept.name == "model.skops" and not (trust_pickle and _has_lightgbm()):
        artifacts.get(kept.file, scratch / kept.name)
        (folder / "model.txt").write_text(lightgbm_text(scratch / kept.name, called))
        return kept
    model = folder / kept.name
    artifacts.get(kept.file, model)
    if kept.name == "model.ubj" and _begins(model, b'{"'):
        model.rename(folder / "model.json")
    if kept.flavor == "onnx":
        for weights in sorted(name for name in artifacts.sizes if name.endswith(_WEIGHTS)):
            artifacts.get(weights, folder / safe_name(weights, called))
    return kept


def _converted(folder: Path, scratch: Path, naming: Naming) -> Path:
    """FOLDER with an ONNX model in the place of its framework's."""
    estimator = next((path.name for path in folder.iterdir() if path.suffix in ESTIMATORS), "")
    if estimator and importlib.util.find_spec("skl2onnx") is None:
        raise InvalidSettings(
            f"{estimator} needs skl2onnx, which is not here: install modelyard[sklearn]. {_ELSEWHERE}"
        )
    try:
        return stage(folder, scratch / "staged", naming)
    except InvalidInput as bad:
        raise InvalidEntry(f"{bad} {_ROWS}") from bad
    except InvalidSettings as bad:
        raise InvalidSettings(f"{bad} {_ELSEWHERE}") from bad
    except Unreachable as bad:
        raise Unreachable(f"{bad} {_ELSEWHERE}") from bad


def _example(artifacts: _Artifacts, scratch: Path) -> Path | None:
    """The rows of the input example, where there is one and no eval.npz."""
    if EVALUATION in artifacts.sizes or not artifacts.example:
        return None
    name = safe_name(artifacts.example.get("artifact_path"), artifacts.called)
    if artifacts.sizes.get(name, LARGEST + 1) > LARGEST:
        return None
    artifacts.get(name, scratch / name)
    return example_rows(artifacts.example, (scratch / name).read_bytes(), scratch)


def _begins(path: Path, beginning: bytes) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(beginning)) == beginning


def _has_lightgbm() -> bool:
    return importlib.util.find_spec("lightgbm") is not None
