"""`modelyard feedback`: labels from a file, for requests that a Model answered; late, repeated or corrected."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.options import Namespace
from modelyard.errors import InvalidInput, InvalidModel

from .recorder_key import recorder_key

if TYPE_CHECKING:
    from modelyard.api.model import Model
    from modelyard.api.monitoring.labels import AnswerLabel
    from modelyard.core.storage.object_store import Store

_A_FILE = 100_000


def feedback(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    file: Annotated[Path, typer.Option("--input", help="A .csv, .parquet or .jsonl of request ids and labels.")],
    namespace: Namespace = "",
    days: Annotated[int, typer.Option(min=1, help="How many days back requests are looked for.")] = 30,
    unknown: Annotated[
        bool, typer.Option("--unknown", help="Take labels though none is of a recorded request.")
    ] = False,
) -> None:
    """Hand in labels: what was right, for requests that a Model answered."""
    from modelyard.api.model import Model
    from modelyard.cli.connection import open_store
    from modelyard.cli.terminal.console import out
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.context import current_namespace
    from modelyard.clients.cluster.models import read
    from modelyard.records.feedback.label_files import read_label_file
    from modelyard.records.feedback.labels import settled
    from modelyard.records.feedback.recorded_answers import known_rows

    model = Model.of(read(Cluster(access()), namespace or current_namespace(), name)[0])
    if model.spec.monitoring is None or model.spec.monitoring.feedback is None:
        raise InvalidModel(f"{model.name} takes no labels: write spec.monitoring.feedback, and record what it answers.")
    found = read_label_file(file, model.name, time.time())
    store = open_store()
    _refuse_other_outputs(store, model, found.labels)
    first = (datetime.now(UTC).date() - timedelta(days=days - 1)).isoformat()
    counted = settled(found.labels)
    known = known_rows(store, model.namespace, model.name, first, {one.request_id for one in found.labels})
    strange = sum((request, row) not in known for request, row, _ in counted.labels)
    if strange == len(counted.labels) and not unknown:
        raise InvalidInput(
            f"none of the {strange} labels is of a recorded request of {model.namespace}/{model.name} of the last "
            f"{days} days, so nothing was taken: is the file another Model's? Rows come a minute after their request; "
            "--unknown takes the labels all the same."
        )
    _write(store, model, found.labels)
    console = out()
    console.print(f"{len(counted.labels)} labels of {file.name} are in the store", markup=False, soft_wrap=True)
    for count, what in (
        (strange, "of them are of rows that are not recorded: not in the sample, not yet written, or no request's"),
        (counted.repeated, "rows of the file repeat a label"),
        (counted.contradicting, "rows of the file contradict another; what was known last counts"),
        (found.missing, "rows of the file have no label"),
    ):
        if count:
            console.print(f"{count} {what}", markup=False, soft_wrap=True)


def _refuse_other_outputs(store: "Store", model: "Model", labels: "Sequence[AnswerLabel]") -> None:
    """Raises InvalidInput when a label is of an output that no revision of the Model has."""
    from modelyard.records.feedback.build_reports import outputs_of

    named = {label.output for label in labels} - {""}
    if not named:
        return
    known = outputs_of(store, [revision.digest for revision in model.status.revisions])
    if known and (others := sorted(named - known)):
        there = ", ".join(sorted(known))
        raise InvalidInput(f"{model.name} has no output {others[0]}: name the column label, or after one of {there}.")


def _write(store: "Store", model: "Model", labels: "Sequence[AnswerLabel]") -> None:
    """Writes labels, as far as they may be; the same labels on the same day are the same objects."""
    from modelyard.core.names import sha256_hex
    from modelyard.core.storage.monitoring_keys import feedback_key
    from modelyard.recorder.feedback import PLAIN, redacted
    from modelyard.recorder.receiver import CapturePolicy
    from modelyard.recorder.redaction import Redaction
    from modelyard.records.feedback.labels import to_file

    log = model.spec.monitoring.log if model.spec.monitoring else None
    redaction = Redaction(frozenset(), frozenset(log.redact or () if log else ()), b"")
    if any(redaction.hides(name) for name in {label.output or PLAIN for label in labels}):
        policy = CapturePolicy(replace(redaction, key=recorder_key(model.namespace, model.name)))
        labels = [redacted(label, policy) for label in labels]
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for at in range(0, len(labels), _A_FILE):
        part = labels[at : at + _A_FILE]
        mark = sha256_hex([[*one[:4], 0 if one.time == one.told else one.time] for one in part])[:32]
        store.put_if_absent(feedback_key(model.namespace, model.name, today, f"file-{mark}"), to_file(part))
