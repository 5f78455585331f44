"""A shared layer: all of a build that does not depend on a Model's name. Made once per entry, kept in a folder or
in the store, and called a part there.

model.onnx, weights      as they will be served (scalars replaced); model.xml, model.bin of OpenVINO's IR;
                         code/ and environment.zip of a Python model
author.pbtxt             the author's config.pbtxt, when there was one
findings.json            what `validation` found
profile.json             what rows of the reference look like, where there is one
proof.npz                one sample and onnxruntime's answer
part.json                the list of these files; written last
"""

import json
import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from modelyard.api.entry import EntryFile
from modelyard.builder.evaluation.evaluation_set import (
    copy_evaluation,
    read_evaluation,
    read_tensors,
    write_arrays,
)
from modelyard.builder.evaluation.reference_profile import NO_EVALUATION, PROFILE, read_profile, rows_of_evaluation
from modelyard.builder.inference.sandbox import LASTING
from modelyard.builder.inspection.graph import Port
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.python_models.evidence import gather, ports_of
from modelyard.builder.python_models.folder import SERVED_MODEL, require_packed
from modelyard.builder.triton.attempts import Attempts
from modelyard.errors import CorruptEntry, InvalidInput
from modelyard.records.reference import with_importance

from .served_form import make_servable
from .source import ModelSource, described
from .validation import EVALUATION, FINDINGS, JUDGEMENT, MODEL, PROOF, findings

MANIFEST, _AUTHOR = "part.json", "author.pbtxt"


class LayerManifest(BaseModel):
    """`part.json`: every other file, and which of them are served."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    files: tuple[EntryFile, ...]
    served: tuple[str, ...]
    labels: tuple[str, ...] = ()
    unwatched: str = ""
    """Why there is no profile.json."""


@dataclass(frozen=True)
class SharedLayer:
    """A complete shared layer in a folder."""

    folder: Path
    manifest: LayerManifest

    @cached_property
    def findings(self) -> dict[str, Any]:
        """As `validation.gather` returned them."""
        return json.loads((self.folder / FINDINGS).read_text())

    @property
    def is_python(self) -> bool:
        """Whether it is a Python model's."""
        return self.manifest.served[0] == SERVED_MODEL

    @cached_property
    def opset(self) -> int:
        return 0 if self.is_python else inspect(self.folder / self.manifest.served[0]).opset

    @cached_property
    def ports(self) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        """Inputs and outputs of the graph that is served."""
        if self.is_python:
            return ports_of(self.findings)
        graph = inspect(self.folder / self.manifest.served[0])
        return graph.inputs, graph.outputs

    @property
    def author_config(self) -> str | None:
        """The text of the author's config.pbtxt; None without one."""
        file = self.folder / _AUTHOR
        return file.read_text() if file.is_file() else None

    @property
    def profile(self) -> Path | None:
        """The reference profile; None without one, for the reason in `manifest.unwatched`."""
        file = self.folder / PROFILE
        return file if file.is_file() else None

    def sample(self, kind: str) -> dict[str, Any]:
        """The sample's arrays by tensor name; `kind` is input or output."""
        return read_tensors(self.folder / PROOF, kind)


def make_part(
    source: ModelSource, folder: Path, attempts: Attempts | None = None, *, trusted: bool = False
) -> SharedLayer:
    """The shared layer of `source`, in FOLDER: its files copied, scalars replaced, and the model tried.

    A Python model is tried where it is `trusted`, and taken as its entry says elsewhere.
    Raises InvalidEntry or UnsupportedModel when the model cannot be served, HostFailure when the machine failed every
    attempt.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in source.files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if MODEL in source.files:
        make_servable(folder / MODEL)
    evaluation = folder / EVALUATION
    if source.evaluation:
        copy_evaluation(source.evaluation, source.graph, evaluation)
        copy_judgement(source, folder)
    if source.config is not None:
        (folder / _AUTHOR).write_text(source.config)
    patient = replace(attempts or Attempts(), lasting=LASTING)
    if source.is_python:
        _try_python(source, folder, patient, trusted)
    else:
        patient.of(lambda: findings(folder, deterministic=source.deterministic))
    unwatched = _write_profile(source, folder)
    for only_here in (evaluation, folder / JUDGEMENT):
        only_here.unlink(missing_ok=True)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    manifest = LayerManifest(
        files=tuple(described(folder / name, name) for name in names),
        served=tuple(source.files),
        labels=source.metadata.labels if source.metadata else (),
        unwatched=unwatched,
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(by_alias=True, indent=2))
    return SharedLayer(folder, manifest)


def _try_python(source: ModelSource, folder: Path, attempts: Attempts, trusted: bool) -> None:
    """Writes FOLDER/findings.json and proof.npz of a Python model; raises what `require_packed` and `gather` raise."""
    metadata = source.metadata
    assert metadata is not None, "a Python model says in its metadata that it is one"
    require_packed(source.model.parent)
    evidence = attempts.of(
        lambda: gather(folder, source.graph, metadata, source.config, trusted=trusted, say=attempts.say)
    )
    write_arrays(evidence.sample, folder / PROOF)
    (folder / FINDINGS).write_text(json.dumps(evidence.findings))


def _write_profile(source: ModelSource, folder: Path) -> str:
    """Writes FOLDER/profile.json, the entry's own or that of its eval.npz; returns why there is none, or nothing.

    Raises InvalidEntry when the entry's own is none.
    """
    labels = source.metadata.labels if source.metadata else ()
    measured = json.loads((folder / FINDINGS).read_text()).get("importance", {})
    try:
        if source.profile is not None:
            given = read_profile(source.profile)
            profile = with_importance(given, measured) if measured else given
        elif source.evaluation is not None:
            evaluation = read_evaluation(folder / EVALUATION, source.graph)
            name = f"eval.npz of {source.name}"
            profile = rows_of_evaluation(evaluation, source.graph, len(labels), name).profile(measured)
        else:
            return NO_EVALUATION
    except InvalidInput as bad:
        return str(bad)
    (folder / PROFILE).write_text(profile.model_dump_json(by_alias=True, exclude_none=True))
    return ""


def copy_judgement(source: ModelSource, folder: Path) -> None:
    """Writes how an entry is judged, if it says so, to FOLDER/judgement.json, where `validation` reads it."""
    if source.metadata and source.metadata.evaluation:
        (folder / JUDGEMENT).write_text(source.metadata.evaluation.model_dump_json(by_alias=True))


def open_part(folder: Path) -> SharedLayer:
    """A layer that was made earlier, verified file by file; raises CorruptEntry when one is damaged or missing."""
    try:
        manifest = LayerManifest.model_validate_json((folder / MANIFEST).read_bytes())
    except ValidationError as bad:
        raise CorruptEntry("the manifest of a stored part is damaged; it will be made again.") from bad
    for file in manifest.files:
        path = folder / file.path
        if not path.is_file() or described(path, file.path).sha256 != file.sha256:
            raise CorruptEntry(f"{file.path} of a stored part is damaged; it will be made again.")
    return SharedLayer(folder, manifest)
