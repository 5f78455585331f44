"""What one version of a model in a registry says about itself: the file `modelyard.yaml` of an entry folder.

    model-repo/digits/1/
      modelyard.yaml   this type; closed, camelCase
      model.onnx       the model (external data beside it); or `model.joblib`, converted when pushed; or, with
                       `framework: python`, `model.py`: a Python model, for what cannot become ONNX
      eval.npz         optional: what goes in and what must come out
      MODEL_CARD.md    optional: for people

`eval.npz` holds the arrays `input:<tensor name>` and `output:<tensor name>` (the bare tensor name does as well), one
array a tensor, shaped as the model takes and gives them (a batchable model: any number of rows in dimension 0, the same
in every array), and optionally `labels`, the true classes of those rows, and `slice:<column>`, the group of each row
(sex, region) by which people judge the answers; nothing is served or chosen by it. Strings are arrays of Unicode or
bytes, never objects.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64",
    "FP16", "FP32", "FP64", "BF16", "BYTES",
]  # fmt: skip
"""Tensor datatypes as the Open Inference Protocol v2 spells them."""

NAME_PATTERN = r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$"
VERSION_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"


PYTHON = "python"
"""The framework of a Python model."""


class _Closed(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


def _version_text(value: Any) -> Any:
    """`version: 2` is what people write; 1.10 would silently become 1.1, so a float is refused."""
    if isinstance(value, float):
        raise ValueError('put the version in quotes, such as version: "1.10", or YAML reads it as a number')
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Tensor(_Closed):
    """One input or output as the model's author declares it; the build checks it against the model file."""

    name: str = Field(min_length=1, max_length=256, description="Tensor name, as in the model file.")
    datatype: Datatype = Field(description="Open Inference Protocol datatype, such as FP32.")
    shape: tuple[Annotated[int, Field(ge=-1)], ...] = Field(description="Full shape; -1 is a dynamic dimension.")
    description: str = Field("", max_length=1000, description="What it means, for people.")


class TrainingData(_Closed):
    """Where the training data is; a reference, never the data."""

    reference: str = Field(min_length=1, max_length=1000, description="A name or URI people can follow.")
    digest: str = Field("", pattern=r"^(sha256:[0-9a-f]{64})?$", description="sha256:<hex> of the data, when known.")
    description: str = Field("", max_length=1000, description="Selection, split, period.")


class Judgement(_Closed):
    """How eval.npz judges a model that does not give its outputs to the digit, such as a quantized one."""

    metric: Literal["accuracy", "f1", "auc", "mae", "cosine", "agreement"] = Field(
        description="What is computed from its answers and eval.npz."
    )
    bound: float = Field(allow_inf_nan=False, description="At least so much is good; at most, for mae.")


class MlflowOrigin(_Closed):
    """The version in MLflow's registry that an entry was made of."""

    model: str = Field(min_length=1, max_length=500, description="Name of the registered model.")
    uri: str = Field(min_length=1, max_length=2000, description="What MLflow calls its source, such as models:/m-<id>.")
    run_id: str = Field("", max_length=64, description="The run that logged it.")
    flavor: str = Field("", max_length=64, description="The flavor it was read from.")


class RetrainingOrigin(_Closed):
    """The version that an entry was retrained from, and by what; the rows themselves are nowhere in it."""

    parent: str = Field(pattern=VERSION_PATTERN, description="The version that served, which it is better than.")
    parent_digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Digest of that entry.")
    namespace: str = Field(max_length=63, description="Namespace of the Model whose requests it learnt from.")
    model: str = Field(max_length=63, description="Name of that Model.")
    run: str = Field(max_length=64, description="The retraining that made it: status.retraining.last.id.")
    reason: str = Field("", max_length=64, description="What called for it: decay, drift, age.")
    first_day: str = Field(max_length=10, description="Day of the first row that it learnt from or was judged by.")
    last_day: str = Field(max_length=10, description="Day of the last one.")
    rows: int = Field(ge=0, description="Labelled rows that it learnt from.")
    held_out: int = Field(ge=0, description="Labelled rows that judged it, none of which it has seen.")
    rows_digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Over all of these rows.")


class EntryMetadata(_Closed):
    """The content of `modelyard.yaml`."""

    name: str = Field(pattern=NAME_PATTERN, description="Entry name: lower case, digits, dots, dashes, underscores.")
    version: Annotated[str, BeforeValidator(_version_text)] = Field(
        pattern=VERSION_PATTERN, description="Version, any short word; a pushed version never changes."
    )
    framework: str = Field(
        min_length=1,
        max_length=64,
        description="What it was made with: pytorch, scikit-learn, ...; python for a Python model.",
    )
    task: str = Field(min_length=1, max_length=64, description="What it does: image-classification, ...")
    inputs: tuple[Tensor, ...] = Field((), description="Declared inputs; empty means as in the model file.")
    outputs: tuple[Tensor, ...] = Field((), description="Declared outputs; empty means as in the model file.")
    labels: tuple[str, ...] = Field((), description="Class names, in the order of the output.")
    metrics: dict[str, float] = Field({}, description="Quality measured at training time, such as accuracy: 0.97.")
    evaluation: Judgement | None = Field(
        None, description="Metric that builds hold the model to; when left out, they compare every expected output."
    )
    deterministic: bool = Field(
        default=True,
        strict=True,
        description="Whether the same question always has the same answer; false: no output is held to its value, and "
        "no answer is kept.",
    )
    training_data: TrainingData | None = Field(None, description="Reference to the training data.")
    licence: str = Field("", max_length=128, description="SPDX identifier of the model's licence.")
    mlflow: MlflowOrigin | None = Field(None, description="Where it came from; written by the sync with MLflow.")
    retrained: RetrainingOrigin | None = Field(
        None, description="Where it came from; written by the Job of spec.retrain."
    )

    @model_validator(mode="after")
    def _names_once(self) -> "EntryMetadata":
        for kind, tensors in (("inputs", self.inputs), ("outputs", self.outputs)):
            names = [tensor.name for tensor in tensors]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} names {twice[0]!r} twice; every tensor has a name of its own")
        return self


class EntryFile(_Closed):
    """One file of a pushed entry."""

    path: str = Field(min_length=1, max_length=512, description="Path inside the entry folder, with slashes.")
    size: int = Field(ge=0, description="Bytes.")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="Hex SHA-256 of the content.")


class Entry(_Closed):
    """One version in the registry, as `entry.json` keeps it. Immutable once written."""

    name: str = Field(pattern=NAME_PATTERN)
    version: str = Field(pattern=VERSION_PATTERN)
    digest: str = Field(pattern=r"^sha256:[0-9a-f]{64}$", description="Over the paths and contents of all files.")
    files: tuple[EntryFile, ...]
    metadata: EntryMetadata

    @property
    def is_python(self) -> bool:
        """Whether Python of its author answers: it says so, and nothing in it is ready for a runtime."""
        ready = any(
            file.path.endswith(".onnx") or file.path == "model.xml" for file in self.files if "/" not in file.path
        )
        return self.metadata.framework == PYTHON and not ready

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)
