"""The folder of a retrained version: its parent's, with what was trained in the place of what it replaces.

| in the folder | from |
|---|---|
| model.onnx and its weights, files below training/ | the author's function, over the parent's |
| modelyard.yaml | the parent's, with the new version, its figures, and where it came from |
| eval.npz | the parent's inputs with the new model's answers: what a build compares itself with |
| profile.json | a profile of the labelled rows: what drift of the new version is told by |
| all else but MODEL_CARD.md, which speaks of the parent | the parent's |

No recorded row is in it: rows are deleted with their retention, and an entry is kept for ever. Labels of the parent's
eval.npz, which speak of another world, are not taken along: how right the new version is, is learnt from the first
labels of its own answers.
"""

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from modelyard.api.entry import EntryMetadata
from modelyard.builder.artifacts.contract import contract_of
from modelyard.builder.artifacts.source import ModelSource, read_source
from modelyard.builder.evaluation.evaluation_set import EVALUATION, read_evaluation, write_arrays
from modelyard.builder.evaluation.reference_profile import PROFILE, rows_of_file
from modelyard.core.artifacts.contract_changes import contract_changes
from modelyard.core.storage.entry_metadata import METADATA
from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import InvalidEntry, InvalidInput

from .answers import ModelQuestion, answers_of

MODEL, TRAINING, CARD = "model.onnx", "training", "MODEL_CARD.md"
_OWN = (METADATA, EVALUATION, PROFILE, CARD, "config.pbtxt")
"""What only the parent's author, or this module, writes."""


def stage_version(parent: Path, made: Path, metadata: EntryMetadata, folder: Path) -> ModelSource:
    """Writes the version into FOLDER, without eval.npz and profile.json yet; MADE is what the author's function left.

    Raises InvalidEntry for a file that is not the function's to write, and as `read_source` does.
    """
    before = read_source(parent)
    left = (*before.files, EVALUATION, PROFILE, CARD, METADATA)
    shutil.copytree(parent, folder, ignore=lambda where, names: left if Path(where) == parent else ())
    for path in sorted(made.rglob("*")):
        name = path.relative_to(made).as_posix()
        if path.is_symlink() or not is_safe_path(name) or name in _OWN:
            raise InvalidEntry(f"the recipe left {name}, which is not for it to write: model.onnx and training/ are.")
        if path.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
    write_metadata(folder, metadata)
    return read_source(folder)


def write_metadata(folder: Path, metadata: EntryMetadata) -> None:
    """Writes modelyard.yaml."""
    values = metadata.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    (folder / METADATA).write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def broken_contract(parent: ModelSource, version: ModelSource) -> str:
    """What clients of the parent would notice, in words; empty when nothing."""
    changes = contract_changes(contract_of(parent), contract_of(version))
    return next((change.message for change in changes if change.breaks), "")


def add_evaluation(parent: ModelSource, version: ModelSource, folder: Path, scratch: Path) -> None:
    """Writes eval.npz into FOLDER when the parent has one; raises as `answers_of` does."""
    if parent.evaluation is None:
        return
    evaluation = read_evaluation(parent.evaluation, parent.graph)
    answers = answers_of(version, ModelQuestion(evaluation.inputs, bool(evaluation.rows)), scratch)
    arrays = {f"input:{name}": array for name, array in evaluation.inputs.items()}
    write_arrays(arrays | {f"output:{name}": answers[name] for name in evaluation.outputs}, folder / EVALUATION)


def add_profile(
    parent: ModelSource, folder: Path, inputs: Mapping[str, Any], outputs: Mapping[str, Any], source: str, scratch: Path
) -> bool:
    """Writes profile.json of these rows into FOLDER; whether it did.

    It does not where nothing in them can be watched, nor where clients would be told of a category that these rows
    lack: then the reference stays that of eval.npz.
    """
    version = read_source(folder)
    arrays = {f"input:{name}": array for name, array in inputs.items()}
    arrays |= {f"output:{name}": array for name, array in outputs.items()}
    rows = write_arrays(arrays, scratch / "profiled.npz")
    labels = len(version.metadata.labels) if version.metadata is not None else 0
    try:
        profile = replace(rows_of_file(rows, version.graph, labels), source=source).profile()
    except InvalidInput:
        return False
    (folder / PROFILE).write_text(profile.model_dump_json(by_alias=True, exclude_none=True))
    if broken_contract(parent, read_source(folder)):
        (folder / PROFILE).unlink()
        return False
    return True
