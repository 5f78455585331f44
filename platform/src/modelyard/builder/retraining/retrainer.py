"""One retraining from the first to the last step: rows, training, judging, and a new version that may challenge.

    rows -> train (author's function, elsewhere) -> judge against the parent -> stage -> try -> push -> alias

What is refused is an answer, and no error: the parent goes on. What a retraining pushed says by which one it was made,
so that another try of the same one takes it and pushes nothing twice. The alias moves only from where it was when the
retraining began: whoever moved it meanwhile meant it.
"""

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from modelyard.api.entry import Entry, EntryMetadata, RetrainingOrigin
from modelyard.api.lifecycle.retrain import CHALLENGER
from modelyard.api.monitoring.spec import Feedback
from modelyard.builder.artifacts.contract import contract_of
from modelyard.builder.artifacts.source import ModelSource, read_source
from modelyard.builder.artifacts.staging import try_entry
from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.evaluation.sample_inputs import numpy_type
from modelyard.builder.inference.hardware import cores
from modelyard.builder.optimization.training import environment
from modelyard.core.storage.object_store import Store
from modelyard.errors import EntryExists, InvalidEntry, InvalidInput
from modelyard.records.feedback.labelled_rows import LabelledRows, labelled_rows

from .answers import ModelQuestion, answers_of
from .judging import FEWEST, RetrainingJudgement, judged
from .staged_version import MODEL, TRAINING, add_evaluation, add_profile, broken_contract, stage_version, write_metadata

_ROWS = "labelled-rows.npz"
_TRIES = 5
JUDGES = 100
"""Held-out rows since something changed that are enough to judge by; else so many of the latest do."""
PROFILED = 500
"""Rows since something changed that are enough to say what is usual; else all of them do."""
Tell = Callable[[str], None]


class RetrainingRegistry(Protocol):
    """Entries, as `registry.bucket` has them."""

    def fetch(self, entry: Entry, folder: Path) -> None: ...
    def push(self, folder: Path) -> Any: ...
    def versions(self, name: str) -> Iterable[Entry]: ...
    def alias_version(self, name: str, alias: str) -> str | None: ...
    def move_alias(self, name: str, alias: str, version: str, was: str | None) -> bool: ...


@dataclass(frozen=True)
class RetrainingRequest:
    """Whose rows to learn from, since which day; the entry that serves, and the function of its training folder.

    `since`, in seconds since 1970, is when what called for it began: later held-out rows judge, if there are enough.
    `track` says where the training is logged (`optimization.training.tracking`).
    """

    namespace: str
    model: str
    entry: Entry
    recipe: str
    run: str
    reason: str
    feedback: Feedback
    first_day: str
    since: float
    publish: bool
    track: str = ""


class RetrainingResult(NamedTuple):
    """Whether it made something that may challenge, a sentence, and a few plain values."""

    passed: bool
    message: str
    report: dict[str, Any]


def retrain(
    request: RetrainingRequest, store: Store, registry: RetrainingRegistry, scratch: Path, tell: Tell
) -> RetrainingResult:
    """Runs one retraining in SCRATCH, new or empty; `tell` gets progress, line by line.

    Raises UserError for rows, a recipe or an entry that cannot be used, OutsideError when something outside failed.
    """
    was = registry.alias_version(request.entry.name, CHALLENGER)
    known = list(registry.versions(request.entry.name))
    earlier = next((entry for entry in known if _is_of(entry, request)), None)
    if earlier is not None:
        return _pushed(request, registry, earlier.metadata, was, "It was pushed by an earlier try of the same one")
    tell("fetching the entry")
    registry.fetch(request.entry, scratch / "parent")
    parent = _usable(scratch / "parent", request)
    tell("reading labelled rows")
    rows = _rows(store, request, parent)
    held = rows.held_out()
    judges = _judges(rows, held, request.since)
    made = _train(request, scratch, rows.only(~held), tell)
    origin = _origin(request, rows, int((~held).sum()), len(judges))
    metadata = request.entry.metadata.model_copy(update={"retrained": origin, "evaluation": None})
    staged = stage_version(scratch / "parent", made, metadata, scratch / "version")
    changed = broken_contract(parent, staged)
    if changed:
        return RetrainingResult(False, f"What was trained is another kind of model: {changed}.", _report(origin))
    tell("judging it against what serves")
    judgement = _judge(parent, staged, rows.only(judges), scratch)
    if not judgement.passed:
        said = f"What was trained is not pushed, since {judgement.worse}: {judgement.sentence()}."
        return RetrainingResult(False, said, _report(origin, judgement))
    _add_references(request, rows, parent, staged, scratch)
    return _push(request, registry, metadata, judgement, [entry.version for entry in known], was, scratch, tell)


def next_version(parent: str, known: Iterable[str]) -> str:
    """The version after those that there are: one more than the highest number, else `<parent>-r<n>`."""
    taken = set(known)
    numbers = [int(version) for version in taken if version.isdigit()]
    if parent.isdigit() and numbers:
        return str(max(numbers) + 1)
    stem = re.sub(r"-r[0-9]+$", "", parent)[:56]
    return next(name for at in range(1, len(taken) + 2) if (name := f"{stem}-r{at}") not in taken)


def _usable(folder: Path, request: RetrainingRequest) -> ModelSource:
    """The parent; raises InvalidEntry when it cannot be retrained."""
    called = f"{request.entry.name}:{request.entry.version}"
    file = f"{TRAINING}/{request.recipe.partition(':')[0]}"
    if not (folder / MODEL).is_file():
        raise InvalidEntry(f"{called} has no {MODEL}, and a recipe makes ONNX models only.")
    if not (folder / file).is_file():
        raise InvalidEntry(f"{called} has no {file}, which spec.retrain.recipe names: push a version with it.")
    parent = read_source(folder)
    fixed = [port.name for port in parent.graph.inputs if not port.dims or isinstance(port.dims[0], int)]
    if fixed:
        raise InvalidEntry(f"input {fixed[0]} of {called} takes no batch of rows: make its dimension 0 dynamic.")
    return parent


def _rows(store: Store, request: RetrainingRequest, parent: ModelSource) -> LabelledRows:
    inputs = contract_of(parent).inputs
    dtypes = {tensor.name: numpy_type(tensor.datatype) for tensor in inputs}
    labels = request.entry.metadata.labels
    return labelled_rows(
        store, request.namespace, request.model, inputs, dtypes, labels, request.feedback, request.first_day
    )


def _judges(rows: LabelledRows, held: Any, since: float) -> Any:
    """Places of the held-out rows that judge: those of a world that changed, or the latest where these are few.

    Raises InvalidInput when there are too few of any time.
    """
    places = np.flatnonzero(held)
    if len(places) < FEWEST:
        raise InvalidInput(
            f"{rows.rows} labelled rows are known, and {len(places)} of them would judge: it takes {FEWEST}. Wait for "
            "more labels, or record a larger share (spec.monitoring.sample)."
        )
    recent = places[rows.times[places] >= since]
    return recent if len(recent) >= JUDGES else places[-JUDGES:]


def _train(request: RetrainingRequest, scratch: Path, rows: LabelledRows, tell: Tell) -> Path:
    """The folder with what the author's function left. Raises as `environment.run` does."""
    folder, out = scratch / "training", scratch / "trained"
    shutil.copytree(scratch / "parent" / TRAINING, folder)
    out.mkdir()
    arrays = {f"input:{name}": array for name, array in rows.inputs.items()}
    write_arrays(arrays | {"truth": rows.truth, "time": rows.times, "weight": rows.weights}, folder / _ROWS)
    tell(f"training on {rows.rows} labelled rows")
    job = {
        "name": request.entry.name,
        "folder": str(folder.absolute()),
        "recipe": request.recipe,
        "out": str(out.absolute()),
        "threads": cores(),
        "track": request.track,
    }
    environment.run("retrain", job, scratch / "job", tell, needs=("numpy",))
    return out


def _judge(parent: ModelSource, version: ModelSource, held: LabelledRows, scratch: Path) -> RetrainingJudgement:
    asked = ModelQuestion(held.inputs)
    champion = answers_of(parent, asked, scratch / "champion")
    return judged(held, champion, answers_of(version, asked, scratch / "candidate"))


def _add_references(
    request: RetrainingRequest, rows: LabelledRows, parent: ModelSource, version: ModelSource, scratch: Path
) -> None:
    """What builds and drift of the version are held against: the parent's eval.npz, and how today's rows look."""
    add_evaluation(parent, version, scratch / "version", scratch / "evaluated")
    recent = rows.only(rows.times >= request.since)
    usual = recent if recent.rows >= PROFILED else rows
    first, last = usual.period()
    source = f"labelled rows of {request.namespace}/{request.model}, {first} to {last}"
    answers = answers_of(version, ModelQuestion(usual.inputs), scratch / "usual")
    add_profile(parent, scratch / "version", usual.inputs, answers, source, scratch)


def _push(
    request: RetrainingRequest, registry: RetrainingRegistry, metadata: EntryMetadata, judgement: RetrainingJudgement,
    known: list[str], was: str | None, scratch: Path, tell: Tell,
) -> RetrainingResult:  # fmt: skip
    """Pushes it under the next free version, and moves the alias there."""
    figures = {judgement.metric: judgement.candidate, "champion": judgement.champion, "samples": judgement.rows}
    for _ in range(_TRIES):
        version = next_version(request.entry.version, known)
        written = metadata.model_copy(update={"version": version, "metrics": figures})
        write_metadata(scratch / "version", written)
        if not request.publish:
            said = f"It would be pushed as version {version}: {judgement.sentence()}."
            return RetrainingResult(True, said, _report(written.retrained, judgement))
        tell(f"trying version {version}")
        shutil.rmtree(scratch / "tried", ignore_errors=True)
        try_entry(scratch / "version", scratch / "tried")
        try:
            registry.push(scratch / "version")
        except EntryExists:  # somebody pushed it in between
            known = [*known, version]
            continue
        told = f"Pushed {request.entry.name}:{version}: {judgement.sentence()}"
        return _pushed(request, registry, written, was, told, judgement)
    raise EntryExists(f"somebody pushes versions of {request.entry.name} all the time: {', '.join(known[-_TRIES:])}.")


def _pushed(
    request: RetrainingRequest, registry: RetrainingRegistry, metadata: EntryMetadata, was: str | None, told: str,
    judgement: RetrainingJudgement | None = None,
) -> RetrainingResult:  # fmt: skip
    """What is said of a version that is there, once the alias stands for it or somebody else has moved that."""
    name, version = metadata.name, metadata.version
    moved = was == version or registry.move_alias(name, CHALLENGER, version, was)
    said = f"{name}@{CHALLENGER} is now this version"
    if not moved:
        command = f"modelyard alias set {name} {CHALLENGER} {version}"
        said = f"somebody moved {name}@{CHALLENGER} meanwhile: `{command}` moves it here"
    return RetrainingResult(True, f"{told}; {said}.", {"version": version, **_report(metadata.retrained, judgement)})


def _is_of(entry: Entry, request: RetrainingRequest) -> bool:
    origin = entry.metadata.retrained
    asked = (request.namespace, request.model, request.run)
    return origin is not None and (origin.namespace, origin.model, origin.run) == asked


def _origin(request: RetrainingRequest, rows: LabelledRows, taught: int, judges: int) -> RetrainingOrigin:
    first, last = rows.period()
    return RetrainingOrigin(
        parent=request.entry.version,
        parent_digest=request.entry.digest,
        namespace=request.namespace,
        model=request.model,
        run=request.run,
        reason=request.reason,
        first_day=first,
        last_day=last,
        rows=taught,
        held_out=judges,
        rows_digest=rows.digest(),
    )


def _report(origin: RetrainingOrigin | None, judgement: RetrainingJudgement | None = None) -> dict[str, Any]:
    """A few plain values, which go into a status."""
    rows = {} if origin is None else {"rows": origin.rows, "heldOut": origin.held_out}
    if judgement is None:
        return rows
    measured = {"metric": judgement.metric, "champion": judgement.champion, "candidate": judgement.candidate}
    return {**rows, **measured, "better": judgement.difference.value, "low": judgement.difference.low}
