"""`modelyard tune`: measures with which settings a model takes on most while it keeps an objective.

PATH            an artifact of `modelyard build`, tuned where it lies; or anything that can be built, built first
NAME:VERSION    an entry of the registry, built first
NAME            a Model: a copy of what it serves. The Model itself is not changed; `spec.tune` does that
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output, dump, say
from modelyard.cli.terminal.options import Namespace, Sample, Shown, TrustCode, TrustPickle

if TYPE_CHECKING:
    from rich.console import Console

    from modelyard.api.tuning.report import Tuning
    from modelyard.builder.tuning.bench import LatencyTarget

NOT_KEPT, NO_FIGURE = 1, 2
_SAY = "say what is to be kept: --slo p99=50ms."
_SLO = re.compile(r"p([0-9]+(?:\.[0-9]+)?)\s*[=<]\s*(\S+)")


def tune(
    what: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A Model, an entry such as digits:1, or a path.")],
    slo: Annotated[str, typer.Option(help="What is to be kept: p99=50ms. A Model's own by default.")] = "",
    cpus: Annotated[int | None, typer.Option(min=1, help="Cores of a replica; all but one by default.")] = None,
    name: Annotated[str | None, typer.Option(help="Name the model is served under, when it is built.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for what is built; NAME-build by default.")] = None,
    most: Annotated[int, typer.Option(min=1, max=50, help="Settings to measure at most.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.1, max=600.0, help="Longest time for one rate.")] = 8.0,
    sample: Sample = None,
    trust_pickle: TrustPickle = False,
    trust_code: TrustCode = False,
    namespace: Namespace = "",
    output: Shown = Output.TABLE,
) -> None:
    """Find the settings with which a model takes on most while it keeps an objective."""
    wanted = objective_of(slo) if slo else None
    from modelyard.builder.triton.install import triton_home
    from modelyard.builder.tuning.tuned_artifact import is_artifact, tune_artifact
    from modelyard.cli.connection import open_store
    from modelyard.cli.terminal.console import out as console

    from .build import MODEL_NAME, build_here
    from .tuned_model import fetch_artifact, own_objective, read_model, served_digest, stub_python

    a_model = not Path(what).exists() and MODEL_NAME.fullmatch(what) is not None
    if wanted is None and not a_model:
        raise typer.BadParameter(_SAY)
    if is_artifact(Path(what)):
        folder = Path(what)
    elif not a_model:
        folder = build_here(what, name, out, sample, trust_pickle=trust_pickle, trust_code=trust_code)
    else:
        model = read_model(what, namespace)
        wanted = wanted or own_objective(model)
        if wanted is None:
            raise typer.BadParameter(_SAY)
        folder = out or Path(f"{what}-build")
        fetch_artifact(open_store(), served_digest(model), folder)
    assert wanted is not None
    python = stub_python(folder, trust_code)
    report = tune_artifact(folder, triton_home(say, python), wanted, say, cpus, most, seconds)
    assert report.tuning is not None
    if output is not Output.TABLE:
        dump(report.tuning.model_dump(mode="json", by_alias=True, exclude_none=True), output)
    else:
        show(report.tuning, folder, console())
    raise typer.Exit(exit_code(report.tuning))


def objective_of(text: str) -> "LatencyTarget":
    """`p99=50ms` as an objective; BadParameter for anything else."""
    from pydantic import ValidationError

    from modelyard.api.model import LatencyObjective
    from modelyard.api.quantity import seconds
    from modelyard.builder.tuning.bench import LatencyTarget

    match = _SLO.fullmatch(text.strip())
    try:
        if match is None:
            raise ValueError
        latency = LatencyObjective(percentile=float(match[1]), threshold=match[2])
    except (ValueError, ValidationError):
        sentence = f"{text!r} is no objective: write p99=50ms, with a percentile from 50 to 99.99."
        raise typer.BadParameter(sentence) from None
    return LatencyTarget(latency.percentile, seconds(latency.threshold))


def exit_code(tuning: "Tuning") -> int:
    """0 when the objective can be kept, 1 when it cannot, 2 when there is no figure."""
    if tuning.requests_per_second is None:
        return NO_FIGURE
    return 0 if tuning.requests_per_second > 0.0 else NOT_KEPT


def show(tuning: "Tuning", folder: Path, console: "Console") -> None:
    """Prints what was measured, the curve of the best, and what came of it."""
    from modelyard.cli.terminal.table import table

    tail = f"p{tuning.percentile:g}"
    rows = [
        (
            str(trial.settings.instances),
            str(trial.settings.threads),
            str(trial.settings.batch),
            f"{trial.settings.delay} µs" if trial.settings.delay else "",
            f"{trial.requests_per_second:.0f}" if trial.requests_per_second else "",
            f"{trial.saturated:.0f}",
            f"{trial.alone:.3g} ms",
            "*" if trial.settings == tuning.settings else "",
        )
        for trial in tuning.trials
    ]
    columns = ("instances", "threads", "batch", "delay", f"req/s at {tuning.at}", "saturated", f"alone, {tail}", "best")
    console.print(table(columns, rows))
    best = [trial for trial in tuning.trials if trial.settings == tuning.settings]
    points = [
        (f"{point.rate:.0f}", f"{point.p50:.3g} ms", f"{point.tail:.3g} ms", "yes" if point.kept else "no")
        for trial in best
        for point in trial.points
    ]
    if points:
        console.print("")
        console.print(table(("req/s offered", "p50", tail, "kept"), points))
    console.print(f"\n{tuning.reason}", markup=False, soft_wrap=True)
    if not tuning.quiet:
        console.print("Other programs used this machine meanwhile: an idle one takes on more.", markup=False)
    changed = "says so now" if tuning.changed else "stays as it was"
    console.print(f"{folder}/repository: config.pbtxt {changed}.", markup=False, soft_wrap=True)
