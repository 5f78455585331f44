"""What a path holds: a lone `.onnx` file or OpenVINO IR, an entry folder, or a Triton model repository.

model.onnx                          kind onnx; an eval.npz beside it is used
model.xml, model.bin                kind openvino: what `modelyard optimize` may have chosen
FOLDER/modelyard.yaml, model.onnx   kind entry; eval.npz, config.pbtxt and profile.json beside it are used
FOLDER/modelyard.yaml, model.py     kind entry, with framework: python; see `python_models.folder`
FOLDER/[NAME/]config.pbtxt, N/      kind repository: the highest version N
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modelyard.api.entry import EntryFile, EntryMetadata
from modelyard.builder.conversion.estimator_file import SKOPS
from modelyard.builder.conversion.frameworks.catalogue import SUFFIXES, framework_of
from modelyard.builder.evaluation.evaluation_set import read_evaluation
from modelyard.builder.evaluation.reference_profile import PROFILE
from modelyard.builder.inspection.graph import Graph
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.python_models.folder import (
    MODEL,
    is_python_model,
    read_python_model,
    served_files,
)
from modelyard.core.storage.entry_metadata import METADATA, parse_metadata
from modelyard.core.storage.keys import entry_digest
from modelyard.errors import InvalidEntry, UnsupportedModel

PICKLES = (".joblib", ".pkl", ".pickle")
"""How files are called that Python's pickle wrote."""
ESTIMATORS = (*PICKLES, SKOPS)
"""How files with models of scikit-learn are called."""
CONVERTED = (*ESTIMATORS, *SUFFIXES)
"""How models are called that become ONNX before they are an entry."""
_MODEL, _IR, _EVALUATION, _CONFIG = "model.onnx", "model.xml", "eval.npz", "config.pbtxt"


@dataclass(frozen=True)
class ModelSource:
    """Something to build: files as they are on disk, nothing copied yet."""

    kind: Literal["entry", "onnx", "openvino", "repository"]
    name: str
    model: Path
    graph: Graph
    evaluation: Path | None = None
    config: str | None = None
    metadata: EntryMetadata | None = None
    profile: Path | None = None

    @property
    def is_python(self) -> bool:
        """Whether its answers come from Python of its author."""
        return self.model.suffix == ".py"

    @property
    def files(self) -> dict[str, Path]:
        """What is served, by the name it has in the artifact: the model, which comes first, and its weights."""
        if self.is_python:
            return served_files(self.model.parent)
        if self.model.suffix == ".xml":
            return {_IR: self.model, "model.bin": self.model.with_suffix(".bin")}
        return {_MODEL: self.model, **{name: self.model.parent / name for name in self.graph.data_files}}

    @property
    def deterministic(self) -> bool:
        """Whether the same question always has the same answer, for all that its author says."""
        return self.metadata is None or self.metadata.deterministic

    def needs_onnx(self, why: str) -> None:
        """Raises UnsupportedModel when this is IR or a Python model, which `why` has no use for."""
        if self.is_python:
            raise UnsupportedModel(f"{self.name} is a Python model, and {why}.")
        if self.model.suffix == ".xml":
            raise UnsupportedModel(f"{self.model.name} is OpenVINO's IR, and {why}; use the ONNX model it was made of.")

    def digest(self) -> str:
        """`sha256:<hex>` over the model, its weights, its eval.npz, config.pbtxt and profile.json."""
        files = [described(path, name) for name, path in self.files.items()]
        if self.evaluation:
            files.append(described(self.evaluation, _EVALUATION))
        if self.profile:
            files.append(described(self.profile, PROFILE))
        if self.config:
            content = self.config.encode()
            files.append(EntryFile(path=_CONFIG, size=len(content), sha256=hashlib.sha256(content).hexdigest()))
        return entry_digest(files)


def described(path: Path, name: str) -> EntryFile:
    """A file's size and SHA-256, under the name it has in the artifact."""
    with path.open("rb") as stream:
        return EntryFile(path=name, size=path.stat().st_size, sha256=hashlib.file_digest(stream, "sha256").hexdigest())


def read_source(path: Path) -> ModelSource:
    """What is at `path`, a file or folder.

    Raises InvalidEntry when it is nothing that can be built, UnsupportedModel when Triton could not serve it.
    """
    if path.is_file():
        if path.suffix == ".onnx":
            if path.is_symlink():
                path = path.resolve()
            graph = inspect(path)
            return ModelSource("onnx", path.stem, path, graph, evaluation_beside(path, graph))
        if path.suffix == ".xml":
            return ModelSource("openvino", path.stem, path, inspect(path))
        if path.suffix in PICKLES:
            raise InvalidEntry(
                f"{path} is a pickle, which runs code when it is read; add --trust-pickle if it is yours."
            )
        if path.suffix in CONVERTED:
            if path.suffix in SUFFIXES:
                framework_of(path)
            raise InvalidEntry(
                f"{path} is a model that has to be converted first; push it: modelyard push {path.name}."
            )
        raise InvalidEntry(f"{path} is not an .onnx file; export the model to ONNX, or name a folder.")
    if not path.is_dir():
        raise InvalidEntry(f"there is no {path}; name an .onnx file, an entry folder or a Triton model repository.")
    if (path / METADATA).is_file():
        return _entry(path)
    alone = [path / name for name in (_MODEL, _IR) if (path / name).is_file()]
    return read_source(alone[0]) if len(alone) == 1 else _repository(path)


def evaluation_beside(path: Path, graph: Graph) -> Path | None:
    """The eval.npz in the folder of the lone model file `path`, or None.

    Beside other models it is for those whose inputs and outputs it fits; with no other model there it must fit.
    """
    evaluation = path.parent / _EVALUATION
    if not evaluation.is_file():
        return None
    if not is_alone(path):
        try:
            read_evaluation(evaluation, graph)
        except InvalidEntry:
            return None
    return evaluation


def is_alone(path: Path) -> bool:
    """Whether the model file `path` is the only one in its folder."""
    others = (".onnx", *ESTIMATORS)
    return not any(file.suffix in others for file in path.parent.iterdir() if file.name != path.name)


def _entry(folder: Path) -> ModelSource:
    metadata = parse_metadata((folder / METADATA).read_bytes(), str(folder / METADATA))
    config, evaluation, profile = folder / _CONFIG, folder / _EVALUATION, folder / PROFILE
    if is_python_model(metadata, folder):
        model, graph = folder / MODEL, read_python_model(metadata, folder)
    else:
        model = _only_model(folder)
        graph = inspect(model)
        _agree(metadata, graph)
    return ModelSource(
        "entry",
        metadata.name,
        model,
        graph,
        evaluation if evaluation.is_file() else None,
        _read_text(config) if config.is_file() else None,
        metadata,
        profile if profile.is_file() else None,
    )


def _repository(folder: Path) -> ModelSource:
    """A repository root with one model, or the model's folder itself."""
    model_folder = folder if _versions(folder) else None
    if model_folder is None:
        candidates = [child for child in sorted(folder.iterdir()) if child.is_dir() and _versions(child)]
        if len(candidates) > 1:
            names = ", ".join(child.name for child in candidates)
            raise InvalidEntry(f"{folder} holds several models ({names}); name the folder of one.")
        if not candidates:
            raise InvalidEntry(
                f"{folder} is neither an entry (no {METADATA}) nor a Triton model repository (no NAME/1/{_MODEL}); "
                "name one of these, or an .onnx file."
            )
        model_folder = candidates[0]
    version = max(_versions(model_folder))
    config = model_folder / _CONFIG
    model = _only_model(model_folder / str(version))
    text = _read_text(config) if config.is_file() else None
    return ModelSource("repository", model_folder.resolve().name, model, inspect(model), config=text)


def _versions(folder: Path) -> list[int]:
    return [
        int(child.name)
        for child in folder.iterdir()
        if child.name.isascii() and child.name.isdigit() and any(child.glob("*.onnx"))
    ]


def _only_model(folder: Path) -> Path:
    models = sorted(folder.glob("*.onnx"))
    chosen = folder / _MODEL if folder / _MODEL in models else (models[0] if len(models) == 1 else None)
    if chosen is None and not models and (folder / _IR).is_file():
        chosen = folder / _IR
    if chosen is None:
        if models:
            raise InvalidEntry(f"{folder} has several .onnx files; call the one to serve {_MODEL}.")
        raise InvalidEntry(f"{folder} has no {_MODEL}; put the exported model there under that name.")
    if chosen.is_symlink():
        raise InvalidEntry(f"{chosen} is a link; put the file itself there.")
    return chosen


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except UnicodeDecodeError as bad:
        raise InvalidEntry(f"{path} is not text; correct it.") from bad


def _agree(metadata: EntryMetadata, graph: Graph) -> None:
    """What modelyard.yaml declares must be what the file has."""
    for kind, declared, ports in (
        ("input", metadata.inputs, graph.inputs),
        ("output", metadata.outputs, graph.outputs),
    ):
        known = {port.name: port for port in ports}
        if declared and {tensor.name for tensor in declared} != set(known):
            raise InvalidEntry(
                f"{METADATA} declares the {kind}s {', '.join(sorted(t.name for t in declared))}, the model has "
                f"{', '.join(sorted(known))}; make them the same, or leave them out."
            )
        for tensor in declared:
            port = known[tensor.name]
            dims = port.dims if port.dims is not None else (None,) * len(tensor.shape)
            fits = len(dims) == len(tensor.shape) and all(
                size in (-1, dim) or not isinstance(dim, int) for size, dim in zip(tensor.shape, dims, strict=True)
            )
            if tensor.datatype != port.datatype or not fits:
                has = [dim if isinstance(dim, int) else -1 for dim in dims]
                raise InvalidEntry(
                    f"{METADATA} declares {kind} {tensor.name!r} as {tensor.datatype} {list(tensor.shape)}, the model "
                    f"has {port.datatype} {has}; correct it, or leave {kind}s out."
                )
