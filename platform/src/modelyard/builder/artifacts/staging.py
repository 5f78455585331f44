"""What a person has, made into an entry folder or a source: the step before push, build and serve.

FOLDER with modelyard.yaml      as it is; with a model of a framework instead of model.onnx it is copied and converted
                                and a Python model is copied and gets its packages
model.onnx, or one of those     a new entry folder around it, with the eval.npz beside it if that is for it

Models of frameworks are .joblib, .pkl, .skops (scikit-learn) and what `conversion.frameworks.catalogue` lists.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from modelyard.api.entry import EntryMetadata
from modelyard.builder.conversion.apart import convert_apart
from modelyard.builder.conversion.frameworks.catalogue import SUFFIXES, framework_of, is_saved_model, model_in
from modelyard.builder.conversion.frameworks.conversion import convert_file
from modelyard.builder.evaluation.evaluation_set import EVALUATION, read_evaluation
from modelyard.builder.evaluation.reference_profile import PROFILE, rows_of_file
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.python_models.folder import is_python_model, require_trust
from modelyard.builder.python_models.packing import packed
from modelyard.builder.triton.attempts import PAUSES, Attempts
from modelyard.core.storage.entry_metadata import METADATA, parse_metadata
from modelyard.core.storage.yaml_text import require_as_written
from modelyard.errors import InvalidEntry, InvalidInput

from .assemble import require_layout
from .shared_layer import make_part
from .source import CONVERTED, ESTIMATORS, PICKLES, ModelSource, evaluation_beside, is_alone, read_source

_MODEL = "model.onnx"


@dataclass(frozen=True)
class Naming:
    """What a lone file cannot say about itself; `sample` has rows to prove a conversion on, `say` gets the proof.

    `trust_code` says that a Python model may be staged, `onnx_for` why only ONNX will do.
    """

    name: str | None = None
    version: str | None = None
    trust_pickle: bool = False
    sample: Path | None = None
    say: Callable[[str], None] = lambda _: None
    trust_code: bool = False
    onnx_for: str = ""


def try_entry(folder: Path, scratch: Path, *, trusted: bool = False) -> None:
    """Runs the model of an entry folder as its build will: a version that is pushed can never be corrected.

    A Python model is run only where it is `trusted`, and then in a real Triton.
    Raises InvalidEntry or UnsupportedModel when it cannot be served, its answers are not those of its eval.npz or its
    config.pbtxt contradicts it; HostFailure when this machine failed, which says nothing of the model. SCRATCH must be
    new or empty.
    """
    require_layout(make_part(read_source(folder), scratch, Attempts(pauses=PAUSES[:1]), trusted=trusted))


def stage_entry(path: Path, scratch: Path, naming: Naming) -> Path:
    """A checked entry folder: PATH itself, or one made in SCRATCH. Raises InvalidEntry or UnsupportedModel."""
    if path.is_dir() and not is_saved_model(path):
        folder = stage(path, scratch, naming)
        if naming.name or naming.version:
            raise InvalidEntry(f"name and version of {path} are in its {METADATA}; change them there.")
        if not (folder / METADATA).is_file():
            raise InvalidEntry(f"{path} has no {METADATA}; write one with name, version, framework and task.")
        _as_written(folder / METADATA)
    else:
        folder = _around(path, scratch, naming)
    source = read_source(folder)
    judged = source.metadata.evaluation if source.metadata else None
    if judged is not None and source.evaluation is None:
        raise InvalidEntry(
            f"{METADATA} asks for {judged.metric} on {EVALUATION}, and there is none; add it, or leave evaluation out."
        )
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

    Raises InvalidEntry when it holds a pickle or a Python model that is not trusted, or cannot be read,
    UnsupportedModel when it cannot be converted, InvalidInput when the sample does not fit it or there is nothing to
    convert, and what `packed` raises.
    """
    if is_saved_model(path) or (path.is_file() and path.suffix in CONVERTED):
        target, beside = scratch / f"{path.stem}.onnx", path.parent / EVALUATION
        _convert(path, target, beside if beside.is_file() and is_alone(path) else None, naming)
        evaluation = evaluation_beside(path, inspect(target))
        if evaluation is not None:
            shutil.copyfile(evaluation, scratch / EVALUATION)
        return target
    python = _is_python(path)
    model = None if python else _to_convert(path)
    if model is None:
        if naming.sample is not None:
            raise InvalidInput(
                f"--sample is for models that are converted, and {path} needs no conversion; put an eval.npz beside it."
            )
        return _packed(path, scratch, naming) if python else path
    folder = scratch / "entry"
    patterns = (*(f"*{suffix}" for suffix in ESTIMATORS), model.name, ".*", "__pycache__")
    shutil.copytree(path, folder, symlinks=True, ignore=shutil.ignore_patterns(*patterns))
    evaluation = path / EVALUATION
    _convert(model, folder / _MODEL, evaluation if evaluation.is_file() else None, naming)
    return folder


def staged_source(path: Path, scratch: Path, naming: Naming) -> ModelSource:
    """What to build for PATH, converted in SCRATCH when needed; raises what `stage` and `read_source` raise."""
    return read_source(stage(path, scratch, naming))


def _around(path: Path, scratch: Path, naming: Naming) -> Path:
    """An entry folder made around a lone file."""
    if not is_saved_model(path) and (path.suffix not in (".onnx", *CONVERTED) or not path.is_file()):
        kinds = ", ".join((".onnx", *CONVERTED))
        raise InvalidEntry(f"{path} is neither an entry folder nor a model ({kinds}, a SavedModel); name one of these.")
    if naming.version is None:
        raise InvalidEntry(f"say which version {path} is: --version 1 (and --name, if it is not {path.stem!r}).")
    folder = scratch / "entry"
    folder.mkdir(parents=True)
    framework = "onnx" if path.suffix == ".onnx" else "scikit-learn"
    if is_saved_model(path) or path.suffix in SUFFIXES:
        framework = framework_of(path).label
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


def _as_written(file: Path) -> None:
    """What is pushed stays for ever: nothing of it may be what YAML made of something else."""
    content = file.read_bytes()
    parse_metadata(content, str(file))
    require_as_written(content, str(file), number="version")


def _checked(folder: Path) -> EntryMetadata:
    return parse_metadata((folder / METADATA).read_bytes(), "the name and version given")


def _is_python(path: Path) -> bool:
    file = path / METADATA
    return file.is_file() and is_python_model(parse_metadata(file.read_bytes(), str(file)), path)


def _packed(folder: Path, scratch: Path, naming: Naming) -> Path:
    source = read_source(folder)  # what can be said without its packages is said before they are fetched
    if naming.onnx_for:
        source.needs_onnx(naming.onnx_for)
    require_trust(source.name, naming.trust_code)
    return packed(folder, scratch, naming.say)


def _to_convert(path: Path) -> Path | None:
    """The model in an entry folder that has to be converted; None when there is none, or it is no folder."""
    if not path.is_dir() or any(path.glob("*.onnx")) or (path / "model.xml").is_file():
        return None
    pickles = sorted(file for file in path.iterdir() if file.suffix in ESTIMATORS)
    if len(pickles) > 1:
        raise InvalidEntry(f"{path} has several pickled models ({_names(pickles)}); keep the one to serve.")
    return pickles[0] if pickles else model_in(path)


def _convert(path: Path, target: Path, evaluation: Path | None, naming: Naming) -> None:
    if path.suffix in ESTIMATORS:
        if path.suffix in PICKLES:
            _trusted(path, "is a pickle, which runs code when it is read", naming)
        proof = convert_apart(path, target, evaluation, naming.sample, naming.trust_pickle)
    else:
        framework = framework_of(path)
        if framework.runs_code:
            _trusted(path, f"is a program of {framework.name}, which may run code when it is read", naming)
        proof = convert_file(path, target, evaluation, naming.sample, naming.say)
    naming.say(f"{path.name} was {proof}")


def _trusted(path: Path, what: str, naming: Naming) -> None:
    if not naming.trust_pickle:
        raise InvalidEntry(f"{path.name} {what}; add --trust-pickle if it comes from you or from somebody you trust.")
