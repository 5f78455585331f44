"""`modelyard compare NAME`: ask two revisions the same and say how far their answers lie apart.

Requests come from the entry's eval.npz in the store, else from the build's warm-up; with `--recorded` they are the
latest that users put to the Model. Each is sent to both revisions
through their pinned routes, over HTTP and gRPC; no user's request is touched. Exit code 0 when the candidate passed,
1 when it did not. With `--publish`, as the rollout's Job runs it, the report goes to the store, the sentence to
`$MODELYARD_TERMINATION_LOG`, and the exit code is 2 when there is no answer.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelyard.cli.terminal.console import Output, dump, out, problem
from modelyard.cli.terminal.options import Namespace, Shown
from modelyard.cli.terminal.table import table
from modelyard.clients.cluster.context import current_namespace
from modelyard.core.resources.check_jobs import REPLAY, SHADOW

if TYPE_CHECKING:
    from rich.table import Table

    from modelyard.builder.artifacts.recorded_requests import RecordedRequests

NO_ANSWER = 2


def compare(
    name: Annotated[str, typer.Argument(help="Name of the Model.")],
    namespace: Namespace = "",
    stable: Annotated[str, typer.Option(help="Revision that is right; the Model's stable when left out.")] = "",
    candidate: Annotated[str, typer.Option(help="Revision to compare; the Model's candidate when left out.")] = "",
    build: Annotated[str, typer.Option(help="Build the requests are from; the candidate's when left out.")] = "",
    samples: Annotated[int, typer.Option(min=1, max=10_000, help="Requests to compare, at most.")] = 200,
    recorded: Annotated[
        int, typer.Option(min=0, max=10_000, help="Compare so many requests that users sent, instead of samples.")
    ] = 0,
    failures_only: Annotated[
        bool, typer.Option("--failures-only", help="Other outputs are shown, and only failures count.")
    ] = False,
    max_disagreement: Annotated[float, typer.Option(min=0, max=1, help="Share that may be answered otherwise.")] = 0.01,
    absolute: Annotated[float, typer.Option(min=0, help="Tolerance: absolute part.")] = 1e-3,
    relative: Annotated[float, typer.Option(min=0, help="Tolerance: relative part, of the stable's value.")] = 1e-2,
    seconds: Annotated[float, typer.Option(min=1, max=900, help="Time after which no further request is sent.")] = 120,
    publish: Annotated[bool, typer.Option("--publish", help="Put the report into the store; for Jobs.")] = False,
    output: Shown = Output.TABLE,
) -> None:
    """Ask two revisions of a Model the same and say how far their answers lie apart."""
    from modelyard.api.rollout import Tolerance
    from modelyard.clients.cluster.termination_message import leave, reason

    tolerance = Tolerance(absolute=absolute, relative=relative)
    where = namespace or current_namespace()
    try:
        pair = _revisions(name, where, stable, candidate, build)
        asked = _asked(name, where, pair[2], samples, recorded)
        report = _compared(name, where, pair, asked, tolerance, seconds, max_disagreement, failures_only)
        if publish:
            _publish(name, where, pair[1], report, REPLAY if recorded else SHADOW)
    except Exception as bad:
        if not publish:
            raise
        leave(reason(bad, "the comparison"))
        problem(str(bad))
        raise typer.Exit(NO_ANSWER) from bad
    if output is Output.TABLE:
        out().print(_shown(report))
        out().print(report["message"], soft_wrap=True, markup=False)
    else:
        dump(report, output)
    raise typer.Exit(0 if report["passed"] else 1)


def _revisions(name: str, namespace: str, stable: str, candidate: str, build: str) -> tuple[str, str, str]:
    """Stable, candidate, and the build to take requests from; what is empty is read from the Model."""
    from modelyard.errors import InvalidModel

    if stable and candidate and build:
        return stable, candidate, build
    from modelyard.api.model import Model
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.models import read

    status = Model.of(read(Cluster(access()), namespace, name)[0]).status
    stable = stable or (status.rollout.stable if status.rollout else "") or status.revision
    others = [revision.name for revision in status.revisions if revision.name != stable]
    candidate = candidate or next(iter(others), "")
    digests = {revision.name: revision.digest for revision in status.revisions}
    if not stable or not candidate:
        raise InvalidModel(f"{namespace}/{name} has no two revisions now: compare while a rollout is under way.")
    if not build and candidate not in digests:
        raise InvalidModel(f"{namespace}/{name} has no revision {candidate}; it has {', '.join(digests) or 'none'}.")
    return stable, candidate, build or digests[candidate]


def _asked(name: str, namespace: str, build: str, samples: int, recorded: int) -> "RecordedRequests":
    from modelyard.builder.artifacts.recorded_requests import replay, requests
    from modelyard.cli.connection import open_store

    if not recorded:
        return requests(open_store(), build, samples)
    return replay(open_store(), build, namespace, name, recorded)


def _compared(
    name: str, namespace: str, pair: tuple[str, str, str], recorded: "RecordedRequests", tolerance: Any,
    seconds: float, allowed: float, failures_only: bool,
) -> dict[str, Any]:  # fmt: skip
    from modelyard.clients.inference import comparison, comparison_report
    from modelyard.clients.inference.predictions import connect

    from .predict import endpoint

    stable, candidate, _ = pair
    with endpoint(name, namespace, "", "") as asked:
        sides = comparison.opened(
            lambda revision, grpc: connect(asked._replace(revision=revision), grpc=grpc), stable, candidate
        )
        try:
            findings = comparison.compare(sides, recorded.feeds, tolerance, seconds)
        finally:
            comparison.close(sides)
    about = {"model": name, "namespace": namespace, "stable": stable, "candidate": candidate}
    limits = {"tolerance": tolerance.model_dump(mode="json", by_alias=True)}
    return {**about, **comparison_report.report(findings, allowed, recorded.origin, failures_only), **limits}


def _publish(name: str, namespace: str, candidate: str, report: dict[str, Any], gate: str) -> None:
    from modelyard.cli.connection import open_store
    from modelyard.clients.cluster.termination_message import leave
    from modelyard.clients.inference.comparison_report import short
    from modelyard.core.storage.keys import check_report

    open_store().put(check_report(namespace, name, candidate, gate), json.dumps(report, indent=2).encode())
    leave({"passed": report["passed"], "message": report["message"], "report": short(report)})


def _shown(report: dict[str, Any]) -> "Table":
    rows = [
        (
            output,
            f"{measures['maxAbsolute']:.3g}",
            f"{measures['maxRelative']:.3g}",
            f"{measures['disagreeing']}",
            f"{measures['top1Agreement']:.2%}" if "top1Agreement" in measures else "",
        )
        for output, measures in report["outputs"].items()
    ]
    return table(("output", "largest difference", "relative", "out of tolerance", "same top-1"), rows)
