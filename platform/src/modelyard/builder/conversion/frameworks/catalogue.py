"""Which framework a model file is of, told by its ending and its first bytes.

| framework | file | begins with |
|---|---|---|
| LightGBM | .txt | `tree` |
| XGBoost | .ubj, .json | `{`, and `learner` soon after it |
| CatBoost | .cbm | `CBM1` |
| PyTorch | .pt2 | `PK`, as a zip file does |
| TensorFlow | .keras | the same |
| TensorFlow | a folder with saved_model.pb | |

The first three are data: reading one runs nothing of its author's. The others are programs, so they have to be trusted.
In an entry folder they are called model.ENDING, since other things end like that too, and the folder `model`.
"""

from dataclasses import dataclass
from pathlib import Path

from modelyard.errors import InvalidEntry

_BEGINNING = 64
_SAVED_MODEL = "saved_model.pb"


@dataclass(frozen=True)
class Framework:
    """A framework: its name for people, that of its program and requirements, its files and how they are written."""

    name: str
    program: str
    beginnings: dict[str, bytes]
    saved_by: str
    system: str = ""
    """What it needs of the system, to follow a colon."""
    network: bool = False
    """Whether it takes tensors of any shape, and not the columns of a table."""
    runs_code: bool = False
    """Whether reading a file may run what its author put there."""

    @property
    def label(self) -> str:
        """What `framework` of modelyard.yaml says."""
        return {"torch": "pytorch"}.get(self.program, self.program)


TENSORFLOW = Framework(
    "TensorFlow", "tensorflow", {".keras": b"PK"}, 'save("model.keras")', network=True, runs_code=True
)
FRAMEWORKS = (
    Framework(
        "LightGBM", "lightgbm", {".txt": b"tree\n"}, 'booster_.save_model("model.txt")', "apt-get install libgomp1"
    ),
    Framework("XGBoost", "xgboost", {".ubj": b"learner", ".json": b"learner"}, 'save_model("model.ubj")'),
    Framework("CatBoost", "catboost", {".cbm": b"CBM1"}, 'save_model("model.cbm")'),
    Framework(
        "PyTorch", "torch", {".pt2": b"PK"}, 'torch.export.save(program, "model.pt2")', network=True, runs_code=True
    ),
    TENSORFLOW,
)
SUFFIXES = tuple(suffix for framework in FRAMEWORKS for suffix in framework.beginnings)
"""Endings of the files above."""


def is_saved_model(path: Path) -> bool:
    """Whether it is a folder that TensorFlow wrote."""
    return (path / _SAVED_MODEL).is_file()


def framework_of(path: Path) -> Framework:
    """The framework of a file with one of SUFFIXES, or of a SavedModel.

    Raises InvalidEntry when it does not begin like its model files.
    """
    if is_saved_model(path):
        return TENSORFLOW
    framework = next(one for one in FRAMEWORKS if path.suffix in one.beginnings)
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    if framework.beginnings[path.suffix] not in beginning.replace(b"\r\n", b"\n"):
        raise InvalidEntry(
            f"{path.name} does not begin like a model of {framework.name}; write it with {framework.saved_by}, or name "
            "an .onnx or .joblib file."
        )
    return framework


def model_in(folder: Path) -> Path | None:
    """The only model of a framework's in an entry folder, or None; raises InvalidEntry when there are several."""
    found = [folder / f"model{suffix}" for suffix in SUFFIXES if (folder / f"model{suffix}").is_file()]
    found += [folder / "model"] if is_saved_model(folder / "model") else []
    if len(found) > 1:
        raise InvalidEntry(f"{folder} has {' and '.join(path.name for path in found)}; keep the one to serve.")
    return found[0] if found else None
