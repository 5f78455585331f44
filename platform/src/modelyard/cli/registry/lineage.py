"""`modelyard lineage NAME`: from an answer back to the data its model was trained with, as far as somebody recorded it.

    request -> revision -> rollout (who, why) -> build -> entry -> training (framework) -> data (reference, digest)
                                                               -> retraining (parent, rows), where the platform did it

A request is named by its id (`--request`), where its row was recorded, or by the revision that its answer named
(`--revision`, the header x-modelyard-revision); without either it is the revision that serves. What nobody recorded is
said to be unknown, and never guessed.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from modelyard.api.model import Model
from modelyard.api.report import Report
from modelyard.cli.connection import open_store
from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.context import current_namespace
from modelyard.clients.cluster.models import read
from modelyard.core.storage import keys
from modelyard.core.storage.monitoring_keys import minute_of
from modelyard.core.storage.object_store import Store
from modelyard.errors import InvalidInput
from modelyard.registry.bucket import BucketRegistry

UNKNOWN = "not recorded"


def lineage(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    namespace: Namespace = "",
    revision: Annotated[str, typer.Option(help="The revision that an answer named; the serving one by default.")] = "",
    request: Annotated[str, typer.Option(help="Id of a recorded request (x-request-id).")] = "",
    output: Shown = Output.TABLE,
) -> None:
    """Say where answers come from: revision, rollout, build, entry, training, data, as far as it is recorded."""
    if revision and request:
        raise InvalidInput("say either --request or --revision: a request's row names its revision.")
    where = namespace or current_namespace()
    model = Model.of(read(Cluster(access()), where, name)[0])
    store = open_store()
    asked = _revision_of(store, where, name, request) if request else revision
    steps = dict(traced(model, store, asked))
    if request:
        steps = {"request": {"id": request}, **steps}
    if output is not Output.TABLE:
        dump({"model": name, "namespace": where, **steps}, output)
        return
    rows = [
        (step if not at else "", field, str(value) if value not in ("", None, {}) else UNKNOWN)
        for step, facts in steps.items()
        for at, (field, value) in enumerate(facts.items())
    ]
    out().print(table(("step", "what", "recorded"), rows))


def traced(model: Model, store: Store, revision: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The steps back from a revision, the serving one when it is empty; facts are empty where nobody recorded them.

    Raises InvalidInput when neither the status nor the history knows the revision.
    """
    asked = revision or model.status.revision
    history = model.status.rollout.history if model.status.rollout else []
    current = next((row for row in model.status.revisions if row.name == asked), None)
    record = next((row for row in history if row.revision == asked), None)
    if current is None and record is None:
        known = ", ".join(
            dict.fromkeys([row.name for row in (*model.status.revisions,)] + [r.revision for r in history])
        )
        raise InvalidInput(f"{model.name} knows no revision {asked or 'yet'}: it knows {known or 'none'}.")
    version = current.version if current else record.version if record else ""
    yield "revision", {"name": asked, "version": version, "traffic": f"{current.weight} %" if current else "none"}
    cause = record.cause if record else None
    yield (
        "rollout",
        {
            "ended": f"{record.outcome.value} at {record.end_time}" if record else "",
            "changedBy": cause.changed_by if cause else "",
            "why": cause.reason if cause else "",
        },
    )
    report = _report(store, current.digest) if current else None
    yield (
        "build",
        {
            "digest": current.digest if current else "",
            "builder": f"modelyard {report.builder}" if report else "",
            "time": report.created if report else "",
        },
    )
    digest = (report.source.digest if report else "") or (cause.digest if cause else "")
    yield from _entry(BucketRegistry(store), model.spec.source.name, version, digest)


def _entry(registry: BucketRegistry, name: str, version: str, digest: str) -> Iterator[tuple[str, dict[str, Any]]]:
    entry = registry.find(name, version)
    if entry is None:
        yield "entry", {"name": name, "version": version, "digest": digest, "now": "the registry has it no more"}
        return
    said = entry.metadata
    same = "as it was served" if digest in ("", entry.digest) else f"another one than was served ({digest})"
    yield "entry", {"name": name, "version": version, "digest": entry.digest, "now": same, "licence": said.licence}
    metrics = ", ".join(f"{metric} {value:g}" for metric, value in said.metrics.items())
    yield "training", {"framework": said.framework, "task": said.task, "metrics": metrics}
    origin = said.retrained
    if origin is not None:
        yield (
            "retraining",
            {
                "parent": f"{name}:{origin.parent}",
                "why": origin.reason,
                "learntFrom": f"{origin.rows} labelled requests of {origin.namespace}/{origin.model}",
                "judgedBy": f"{origin.held_out} others",
                "days": f"{origin.first_day} to {origin.last_day}",
                "rowsDigest": origin.rows_digest,
            },
        )
    data = said.training_data
    yield (
        "data",
        {
            "reference": data.reference if data else "",
            "digest": data.digest if data else "",
            "description": data.description if data else "",
        },
    )


def _report(store: Store, digest: str) -> Report | None:
    content = store.get(keys.build_report(digest))
    try:
        return Report.model_validate_json(content) if content is not None else None
    except ValidationError:
        return None


def _revision_of(store: Store, namespace: str, model: str, request: str) -> str:
    from modelyard.records.recorded import files_of, of_request, read_rows

    meant = of_request(request)
    for key in reversed(list(files_of(store, namespace, model))):
        rows = read_rows(store, [key])
        minute = minute_of(key)
        if minute is not None and rows and meant(rows).any():
            return minute.revision
    raise InvalidInput(
        f"there is no recorded row of request {request}: rows come with spec.monitoring.sample and .log; the answer's "
        "header x-modelyard-revision names the revision, too: give it with --revision."
    )
