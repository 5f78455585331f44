"""What a person has, made into an entry folder or a source: the step before push, build and serve.

FOLDER with modelyard.yaml      as it is; with a .joblib instead of model.onnx it is copied and converted
model.onnx, model.joblib        a new entry folder around it
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from modelyard.api.entry import EntryMetadata
from modelyard.builder.evaluation.evaluation_set import read_evaluation
from modelyard.builder.inspection.model_file import inspect
from modelyard.core.storage.entry_metadata import METADATA, parse_metadata
from modelyard.errors import InvalidEntry

from .sklearn import convert_joblib
from .source import ModelSource, read_source

_MODEL = "model.onnx"


@dataclass(frozen=True)
class Naming:
    """What a lone file cannot say about itself."""

    name: str | None = None
    version: str | None = None
    trust_pickle: bool = False


def stage_entry(path: Path, scratch: Path, naming: Naming) -> Path:
    """A checked entry folder: PATH itself, or one made in SCRATCH. Raises InvalidEntry or UnsupportedModel."""
    if path.is_dir():
        folder = stage(path, scratch, naming)
        if naming.name or naming.version:
            raise InvalidEntry(f"name and version of {path} are in its {METADATA}; change them there.")
        if not (folder / METADATA).is_file():
            raise InvalidEntry(f"{path} has no {METADATA}; write one with name, version, framework and task.")
    else:
        folder = _around(path, scratch, naming)
    source = read_source(folder)
    if source.evaluation:
        read_evaluation(source.evaluation, source.graph)
    return folder


def stage(path: Path, scratch: Path, naming: Naming) -> Path:
    """PATH itself when it can be built as it is, else its converted form in SCRATCH.

    Raises InvalidEntry when it holds a pickle that is not trusted, or cannot be read, UnsupportedModel when it cannot
    be converted.
    """
    if path.is_file() and path.suffix == ".joblib":
        _trusted(path, naming)
        target = scratch / f"{path.stem}.onnx"
        convert_joblib(path, target)
        return target
    pickles = sorted(path.glob("*.joblib")) if path.is_dir() else []
    if not pickles or any(path.glob("*.onnx")):
        return path
    if len(pickles) > 1:
        raise InvalidEntry(f"{path} has several .joblib files; keep the one to serve.")
    _trusted(pickles[0], naming)
    folder = scratch / "entry"
    shutil.copytree(path, folder, symlinks=True, ignore=shutil.ignore_patterns("*.joblib", ".*", "__pycache__"))
    convert_joblib(pickles[0], folder / _MODEL)
    return folder


def staged_source(path: Path, scratch: Path, naming: Naming) -> ModelSource:
    """What to build for PATH, converted in SCRATCH when needed; raises what `stage` and `read_source` raise."""
    return read_source(stage(path, scratch, naming))


def _around(path: Path, scratch: Path, naming: Naming) -> Path:
    """An entry folder made around a lone file."""
    if path.suffix not in (".onnx", ".joblib") or not path.is_file():
        raise InvalidEntry(f"{path} is neither an entry folder nor an .onnx or .joblib file; name one of these.")
    if naming.version is None:
        raise InvalidEntry(f"say which version {path} is: --version 1 (and --name, if it is not {path.stem!r}).")
    folder = scratch / "entry"
    folder.mkdir(parents=True)
    framework = "onnx" if path.suffix == ".onnx" else "scikit-learn"
    metadata = {"name": naming.name or path.stem, "version": naming.version, "framework": framework, "task": "other"}
    (folder / METADATA).write_text(yaml.safe_dump(metadata, sort_keys=False))
    _checked(folder)
    model = stage(path, scratch, naming)
    for name in inspect(model).data_files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model.parent / name, folder / name)
    shutil.copyfile(model, folder / _MODEL)
    return folder


def _checked(folder: Path) -> EntryMetadata:
    return parse_metadata((folder / METADATA).read_bytes(), "the name and version given")


def _trusted(path: Path, naming: Naming) -> None:
    if not naming.trust_pickle:
        raise InvalidEntry(
            f"{path.name} is a pickle, which runs code when it is read; add --trust-pickle if it comes from you "
            "or from somebody you trust."
        )
