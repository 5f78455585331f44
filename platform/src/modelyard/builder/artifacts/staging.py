"""What a person has, made into an entry folder or a source: the step before push, build and serve.

FOLDER with modelyard.yaml      as it is; with a .joblib instead of model.onnx it is copied and converted
model.onnx, model.joblib, .pkl  a new entry folder around it, with the eval.npz beside it if that is for it
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

import yaml

from modelyard.api.entry import EntryMetadata
from modelyard.builder.conversion.sklearn import convert_joblib
from modelyard.builder.evaluation.evaluation_set import EVALUATION, read_evaluation
from modelyard.builder.evaluation.reference_profile import PROFILE, rows_of_file
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.triton.attempts import Attempts
from modelyard.core.storage.entry_metadata import METADATA, parse_metadata
from modelyard.errors import InvalidEntry

from .assemble import require_layout
from .shared_layer import make_part
from .source import PICKLES, ModelSource, evaluation_beside, is_alone, read_source

_MODEL = "model.onnx"


@dataclass(frozen=True)
class Naming:
    """What a lone file cannot say about itself."""

    name: str | None = None
    version: str | None = None
    trust_pickle: bool = False


def try_entry(folder: Path, scratch: Path) -> None:
    """Runs the model of an entry folder once as its build will: a version that is pushed can never be corrected.

    Raises InvalidEntry or UnsupportedModel when it cannot be served, its answers are not those of its eval.npz or its
    config.pbtxt contradicts it; HostFailure when this machine failed, which says nothing of the model. SCRATCH must be
    new or empty.
    """
    require_layout(make_part(read_source(folder), scratch, Attempts(pauses=())))


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


def with_reference(folder: Path, reference: Path, scratch: Path) -> Path:
    """A copy, in SCRATCH, of an entry folder with the profile of the rows in the file `reference`.

    Raises InvalidInput or InvalidEntry when the rows do not fit the model.
    """
    copied = scratch / "referenced"
    shutil.copytree(folder, copied, symlinks=True, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    write_profile(read_source(folder), reference, copied / PROFILE)
    return copied


def write_profile(source: ModelSource, reference: Path, target: Path) -> Path:
    """Writes the profile of the rows in the file `reference`, for the model of `source`, and returns its path.

    Raises InvalidInput or InvalidEntry when the rows do not fit the model.
    """
    labels = len(source.metadata.labels) if source.metadata else 0
    profile = rows_of_file(reference, source.graph, labels).profile()
    target.write_text(profile.model_dump_json(by_alias=True, exclude_none=True))
    return target


def stage(path: Path, scratch: Path, naming: Naming) -> Path:
    """PATH itself when it can be built as it is, else its converted form in SCRATCH.

    Raises InvalidEntry when it holds a pickle that is not trusted, or cannot be read, UnsupportedModel when it cannot
    be converted.
    """
    if path.is_file() and path.suffix in PICKLES:
        _trusted(path, naming)
        target, beside = scratch / f"{path.stem}.onnx", path.parent / EVALUATION
        convert_joblib(path, target, beside if beside.is_file() and is_alone(path) else None)
        evaluation = evaluation_beside(path, inspect(target))
        if evaluation is not None:
            shutil.copyfile(evaluation, scratch / EVALUATION)
        return target
    pickles = sorted(file for file in path.iterdir() if file.suffix in PICKLES) if path.is_dir() else []
    if not pickles or any(path.glob("*.onnx")) or (path / "model.xml").is_file():
        return path
    if len(pickles) > 1:
        raise InvalidEntry(f"{path} has several pickled models ({_names(pickles)}); keep the one to serve.")
    _trusted(pickles[0], naming)
    folder = scratch / "entry"
    patterns = (*(f"*{suffix}" for suffix in PICKLES), ".*", "__pycache__")
    shutil.copytree(path, folder, symlinks=True, ignore=shutil.ignore_patterns(*patterns))
    evaluation = path / EVALUATION
    convert_joblib(pickles[0], folder / _MODEL, evaluation if evaluation.is_file() else None)
    return folder


def staged_source(path: Path, scratch: Path, naming: Naming) -> ModelSource:
    """What to build for PATH, converted in SCRATCH when needed; raises what `stage` and `read_source` raise."""
    return read_source(stage(path, scratch, naming))


def _around(path: Path, scratch: Path, naming: Naming) -> Path:
    """An entry folder made around a lone file."""
    if path.suffix not in (".onnx", *PICKLES) or not path.is_file():
        raise InvalidEntry(f"{path} is neither an entry folder nor an .onnx or .joblib file; name one of these.")
    if naming.version is None:
        raise InvalidEntry(f"say which version {path} is: --version 1 (and --name, if it is not {path.stem!r}).")
    folder = scratch / "entry"
    folder.mkdir(parents=True)
    framework = "onnx" if path.suffix == ".onnx" else "scikit-learn"
    metadata = {"name": naming.name or path.stem, "version": naming.version, "framework": framework, "task": "other"}
    (folder / METADATA).write_text(yaml.safe_dump(metadata, sort_keys=False))
    _checked(folder)
    source = staged_source(path, scratch, naming)
    for name in source.graph.data_files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.model.parent / name, folder / name)
    shutil.copyfile(source.model, folder / _MODEL)
    if source.evaluation:
        shutil.copyfile(source.evaluation, folder / EVALUATION)
    return folder


def _names(paths: list[Path]) -> str:
    return ", ".join(path.name for path in paths)


def _checked(folder: Path) -> EntryMetadata:
    return parse_metadata((folder / METADATA).read_bytes(), "the name and version given")


def _trusted(path: Path, naming: Naming) -> None:
    if not naming.trust_pickle:
        raise InvalidEntry(
            f"{path.name} is a pickle, which runs code when it is read; add --trust-pickle if it comes from you "
            "or from somebody you trust."
        )
