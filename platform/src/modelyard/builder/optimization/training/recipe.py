"""`training/recipe.yaml` of an entry: what may be trained, from which module, weights and data.

    module: module.py:Network          called with `architecture`, gives a torch.nn.Module
    architecture: {width: 64}
    weights: weights.safetensors       beside recipe.yaml
    data: data.py:load                 load("train" | "calibration") gives (inputs, targets) as arrays
    teacher: self                      or {architecture: {...}, weights: other.safetensors}
    prune: {ratio: 0.5}                or kind: unstructured, or kind: 2:4; or `student: {width: 16}` instead
    distill: {epochs: 3, temperature: 4, weights: {hard: 0.3, soft: 0.7}}
    qat: {epochs: 1}
    search: {width: [16, 32], depth: [1, 2], trials: 8, epochs: 1}

Paths name files beside recipe.yaml and nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from modelyard.core.storage.yaml_text import parse_yaml
from modelyard.errors import InvalidEntry

FILE = "training/recipe.yaml"
NAMED = r"^[A-Za-z_][A-Za-z0-9_]*\.py:[A-Za-z_][A-Za-z0-9_]*$"
WEIGHTS = r"^[A-Za-z0-9_][A-Za-z0-9._-]*\.safetensors$"
DIMENSIONS = ("width", "depth", "kernel")

Value = bool | int | float | str
Architecture = dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], Value]
Epochs = Annotated[int, Field(ge=1, le=1000)]
Sizes = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(max_length=16)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Teacher(_Closed):
    """Another trained network that the student learns from."""

    architecture: Architecture = Field({}, description="Arguments of the module; the recipe's where they are missing.")
    weights: str = Field(pattern=WEIGHTS, description="A .safetensors file beside recipe.yaml.")


class Prune(_Closed):
    """Weights that go: whole channels, the smallest everywhere, or two of every four."""

    kind: Literal["structured", "unstructured", "2:4"] = "structured"
    ratio: float = Field(0.5, gt=0, lt=1, description="Share of the channels or of the weights.")

    @model_validator(mode="after")
    def _two_of_four(self) -> "Prune":
        if self.kind == "2:4" and self.ratio != 0.5:
            raise ValueError("2:4 always drops half of the weights; leave ratio out")
        return self


class Losses(_Closed):
    """How much the true targets and the teacher's answers count."""

    hard: float = Field(default=0.3, ge=0)
    soft: float = Field(default=0.7, ge=0)

    @model_validator(mode="after")
    def _something_counts(self) -> "Losses":
        if self.hard + self.soft == 0:
            raise ValueError("hard and soft are both 0, so nothing would be learnt; give one of them a weight")
        return self


class Distill(_Closed):
    """The student learns the teacher's answers, softened by `temperature`, and the targets."""

    epochs: Epochs = 3
    temperature: float = Field(4.0, gt=0, le=100)
    weights: Losses = Losses()


class Qat(_Closed):
    """Fine-tuning with quantization simulated (int8 weights by channel, uint8 activations)."""

    epochs: Epochs = 1


class ArchitectureSearch(_Closed):
    """Architectures to try: every combination of the sizes given, at most `trials` of them, drawn by the seed."""

    width: Sizes = ()
    depth: Sizes = ()
    kernel: Sizes = ()
    trials: int = Field(8, ge=1, le=200, description="Architectures timed.")
    epochs: Epochs = 1

    @model_validator(mode="after")
    def _something_varies(self) -> "ArchitectureSearch":
        if not self.space():
            raise ValueError("the search space is empty; list sizes for width, depth or kernel")
        return self

    def space(self) -> dict[str, tuple[int, ...]]:
        """The dimensions that were given, by the name of the module's argument."""
        return {name: sizes for name in DIMENSIONS if (sizes := getattr(self, name))}


class TrainingRecipe(_Closed):
    """The content of `training/recipe.yaml`."""

    module: str = Field(pattern=NAMED, description="FILE.py:NAME, called with `architecture`, gives a torch module.")
    architecture: Architecture = {}
    weights: str = Field(pattern=WEIGHTS, description="The trained weights, a .safetensors file beside recipe.yaml.")
    data: str = Field(pattern=NAMED, description="FILE.py:NAME, called with train or calibration.")
    teacher: Literal["self"] | Teacher = "self"
    student: Architecture | None = Field(None, description="Arguments of the module for a new, smaller network.")
    prune: Prune | None = None
    distill: Distill | None = None
    qat: Qat | None = None
    search: ArchitectureSearch | None = None
    seed: int = Field(1, ge=0, lt=2**32)
    batch: int = Field(64, ge=1, le=65536, description="Rows of a training step.")
    rate: float = Field(1e-3, gt=0, le=1, description="Largest learning rate of a training.")

    @model_validator(mode="after")
    def _fits_together(self) -> "TrainingRecipe":
        if self.student is not None and self.prune:
            raise ValueError("student and prune are two ways to a smaller network; keep one")
        if self.student is not None and not self.distill:
            raise ValueError("a student starts with random weights; add distill to train it")
        if self.search and not self.distill:
            raise ValueError("what a search finds has random weights; add distill to train it")
        if not (self.student is not None or self.prune or self.distill or self.qat or self.search):
            raise ValueError("there is nothing to do; add prune, student, distill, qat or search")
        return self

    def files(self) -> tuple[str, ...]:
        """The files beside recipe.yaml that it names."""
        named = [self.module.split(":")[0], self.data.split(":")[0], self.weights]
        if isinstance(self.teacher, Teacher):
            named.append(self.teacher.weights)
        return tuple(dict.fromkeys(named))


def read_recipe(entry: Path) -> TrainingRecipe:
    """The recipe of an entry's folder.

    Raises InvalidEntry with what to mend: no recipe, no YAML, a wrong field, or a file it names that is missing.
    """
    path = entry / FILE
    if not path.is_file():
        raise InvalidEntry(f"{entry} has no {FILE}; write one, or optimize without --train.")
    content = parse_yaml(path.read_bytes(), str(path))
    if not isinstance(content, Mapping):
        raise InvalidEntry(f"{path} holds no fields; it needs module, weights and data at least.")
    empty = next((name for name, value in content.items() if value is None), None)
    if empty is not None:
        raise InvalidEntry(f"{path}: {empty} is empty; write `{empty}: {{}}` for its defaults, or leave it out.")
    try:
        recipe = TrainingRecipe.model_validate(content)
    except ValidationError as bad:
        raise InvalidEntry(f"{path}: {_first(bad)}.") from bad
    for name in recipe.files():
        if (path.parent / name).is_symlink() or not (path.parent / name).is_file():
            raise InvalidEntry(f"{path} names {name}, which is no file beside it; put it there or correct the name.")
    return recipe


def _first(bad: ValidationError) -> str:
    error = bad.errors()[0]
    where = ".".join(str(key) for key in error["loc"])
    more = f" (and {bad.error_count() - 1} more)" if bad.error_count() > 1 else ""
    return f"{where + ': ' if where else ''}{error['msg'].removeprefix('Value error, ')}{more}"
