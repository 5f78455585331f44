"""The folder of a Python model, and what is served of it.

    modelyard.yaml      framework: python; all inputs and outputs, for no file tells them
    model.py            class Model: __init__(folder), predict(inputs) -> outputs
    requirements.txt    its packages, pinned (`requirements`); may be missing
    eval.npz            rows that it takes and what it must answer: without them nothing would show that it works
    wheels/             wheels to install from, in the place of an index; not pushed
    environment.zip     the packages, installed; made when the folder is staged (`packing`), and part of the entry
    everything else     lies beside model.py where it runs

Served, below the version's folder: code/model.py with all files beside it, and environment.zip.
"""

import zipfile
from collections.abc import Sequence
from pathlib import Path

from modelyard.api.entry import PYTHON, EntryMetadata, Tensor
from modelyard.builder.evaluation.evaluation_set import EVALUATION
from modelyard.builder.evaluation.reference_profile import PROFILE
from modelyard.builder.inspection.graph import Graph, Port
from modelyard.core.storage.entry_metadata import METADATA
from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import InvalidEntry, UnsupportedModel

from .requirements import REQUIREMENTS, normalized, read_requirements

MODEL, CODE, ENVIRONMENT, WHEELS = "model.py", "code", "environment.zip", "wheels"
SERVED_MODEL = f"{CODE}/{MODEL}"
_NOT_SERVED = {METADATA, REQUIREMENTS, EVALUATION, PROFILE, ENVIRONMENT, "config.pbtxt"}
_DIST_INFO = ".dist-info/METADATA"


def is_python_model(metadata: EntryMetadata, folder: Path) -> bool:
    """Whether the entry folder is one: it says so, and nothing in it is ready for a runtime."""
    return metadata.framework == PYTHON and not any(folder.glob("*.onnx")) and not (folder / "model.xml").is_file()


def read_python_model(metadata: EntryMetadata, folder: Path) -> Graph:
    """The declared inputs and outputs of the Python model in FOLDER, as a graph.

    Raises InvalidEntry when a file is missing or a declaration is, or a requirement is none.
    """
    if not (folder / MODEL).is_file():
        raise InvalidEntry(f"{folder} has no {MODEL}, which framework: {PYTHON} asks for; write a class Model in it.")
    read_requirements(folder)
    if not (folder / EVALUATION).is_file():
        raise InvalidEntry(
            f"{folder} has no {EVALUATION}: nothing else shows what {MODEL} takes and must answer; write one with "
            'numpy.savez: "input:NAME" for each input and "output:NAME" for each output, some rows.'
        )
    return Graph(_ports("input", metadata.inputs), _ports("output", metadata.outputs), 0, ())


def require_packed(folder: Path) -> None:
    """Raises InvalidEntry when the environment of the Python model in FOLDER is missing or holds other packages."""
    pinned = {package.name for package in read_requirements(folder)}
    packed = _packages(folder / ENVIRONMENT) if (folder / ENVIRONMENT).is_file() else set()
    if pinned != packed:
        differs = sorted(pinned ^ packed)
        raise InvalidEntry(
            f"{ENVIRONMENT} and {REQUIREMENTS} differ in {', '.join(differs[:4])}; remove {ENVIRONMENT} and push again."
        )


def served_files(folder: Path) -> dict[str, Path]:
    """What is served of the Python model in FOLDER, by the path below the version's folder; model.py comes first."""
    files = {SERVED_MODEL: folder / MODEL}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if not hidden and name.parts[0] != WHEELS and name.as_posix() not in _NOT_SERVED:
            files[f"{CODE}/{name.as_posix()}"] = path
    if (folder / ENVIRONMENT).is_file():
        files[ENVIRONMENT] = folder / ENVIRONMENT
    return files


def require_trust(what: str, trusted: bool) -> None:
    """Raises InvalidEntry when the code of WHAT is to run without anybody having said that it may."""
    if not trusted:
        raise InvalidEntry(
            f"{what} is a Python model: whoever wrote its {MODEL} and its packages can do all that you can on this "
            "machine, and in the cluster all that its pods can; add --trust-code if it comes from you or from somebody "
            "you trust."
        )


def refuse_beyond_cpus(what: str, target: str) -> None:
    """Raises UnsupportedModel when a Python model is to be built for another target than cpu."""
    if target != "cpu":
        raise UnsupportedModel(f"{what} is a Python model, which is served on CPUs only; write serving.runtime: cpu.")


def require_publishable(what: str, trusted: bool, target: str, asked: Sequence[str]) -> None:
    """Raises what keeps a Python model from being built beside the store's keys: `asked` are wishes of a Model's spec.

    InvalidEntry when it is not trusted, UnsupportedModel for another target than cpu or a wish for which it would run.
    """
    require_trust(what, trusted)
    refuse_beyond_cpus(what, target)
    if asked:
        raise UnsupportedModel(
            f"{what} is a Python model, which never runs where the store's keys are, so it cannot have {asked[0]}; "
            f"remove spec.{asked[0]}."
        )


def _ports(kind: str, tensors: tuple[Tensor, ...]) -> tuple[Port, ...]:
    if not tensors:
        raise InvalidEntry(
            f"{METADATA} declares no {kind}s, and no file of a Python model tells them; write "
            f"{kind}s: [{{name: x, datatype: FP32, shape: [-1, 4]}}]."
        )
    for tensor in tensors:
        if not tensor.shape:
            raise InvalidEntry(f"{METADATA} declares {kind} {tensor.name!r} as a scalar; write shape: [1].")
        if tensor.datatype == "BF16":
            raise InvalidEntry(f"{METADATA} declares {kind} {tensor.name!r} as BF16, which numpy lacks; write FP32.")
    return tuple(Port(t.name, t.datatype, tuple(None if dim < 0 else dim for dim in t.shape)) for t in tensors)


def _packages(archive: Path) -> set[str]:
    """Normalized names of the packages in an environment; raises InvalidEntry when it is none."""
    try:
        with zipfile.ZipFile(archive) as packed:
            names = packed.namelist()
    except (zipfile.BadZipFile, OSError) as bad:
        raise InvalidEntry(f"{ENVIRONMENT} cannot be read ({bad}); remove it and push again.") from bad
    if not all(is_safe_path(name) for name in names):
        raise InvalidEntry(f"{ENVIRONMENT} holds names that lead out of it; remove it and push again.")
    described = [name.removesuffix(_DIST_INFO) for name in names if name.endswith(_DIST_INFO) and name.count("/") == 1]
    return {normalized(name.rpartition("-")[0]) for name in described}
