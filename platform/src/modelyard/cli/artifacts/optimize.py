"""`modelyard optimize`: tries smaller and faster variants of a model and keeps the best that keeps its quality."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output, dump
from modelyard.cli.terminal.options import Sample, Shown, TrustPickle, fraction

if TYPE_CHECKING:
    from modelyard.builder.optimization.pass_api import Precision

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Runtimes(StrEnum):
    """What a variant may run in."""

    ANY = "any"
    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


class TrainingLog(StrEnum):
    """Where a training is logged."""

    NONE = "none"
    MLFLOW = "mlflow"
    WANDB = "wandb"
    TENSORBOARD = "tensorboard"


class Aim(StrEnum):
    """What the chosen variant is best at."""

    LATENCY = "latency"
    THROUGHPUT = "throughput"
    SIZE = "size"


def duration(text: str | float) -> float:
    """`90s`, `10m` or `1h` in seconds; BadParameter for anything else, or above a week."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|h)", text.strip())
    value = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0.0 < value <= 7 * 24 * 3600:
        raise typer.BadParameter(f"{text!r} is not a duration up to a week: write 90s, 10m or 1h.")
    return value


def precisions_of(text: str) -> "tuple[Precision, ...]":
    """`fp32,int8` as precisions, each once, in the order given; BadParameter for an unknown one."""
    from modelyard.builder.optimization.pass_api import Precision

    known = [precision.value for precision in Precision]
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None or not names:
        raise typer.BadParameter(f"{unknown or text!r} is no precision: name some of {', '.join(known)}.")
    return tuple(Precision(name) for name in dict.fromkeys(names))


def optimize(
    path: Annotated[Path, typer.Argument(help="Entry folder, .onnx file or .joblib file.")],
    goal: Annotated[Aim, typer.Option(help="What the chosen variant is to be best at.")] = Aim.LATENCY,
    max_quality_loss: Annotated[
        float, typer.Option(parser=fraction, metavar="SHARE", help="Share of the quality that may be lost: 1%, 0.005.")
    ] = 0.01,
    precisions: Annotated[
        str, typer.Option(help="Which to try: fp32, fp16, bf16, int8, int4.")
    ] = "fp32,fp16,int8,int4",
    runtime: Annotated[Runtimes, typer.Option(help="What variants may run in.")] = Runtimes.ANY,
    budget: Annotated[
        float, typer.Option(parser=duration, metavar="TIME", show_default="10m", help="Time in all: 90s, 10m, 1h.")
    ] = 600.0,
    search: Annotated[
        bool, typer.Option("--search", help="Also search the passes' parameters; goes on where OUT's journal ends.")
    ] = False,
    train: Annotated[
        bool, typer.Option("--train", help="First run the entry's training/recipe.yaml: pruning, distillation, QAT.")
    ] = False,
    track: Annotated[
        TrainingLog | None, typer.Option(help="Where --train is logged; MODELYARD_TRACK when left out.")
    ] = None,
    trust_code: Annotated[
        bool, typer.Option("--trust-code", help="Allow --train to run the Python files beside the recipe.")
    ] = False,
    sample: Sample = None,
    trust_pickle: TrustPickle = False,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="For what passes draw and the order of turns.")] = 1,
    out: Annotated[Path, typer.Option(help="Folder for the reports and the chosen model.")] = Path("optimized"),
    output: Shown = Output.TABLE,
) -> None:
    """Try smaller and faster variants of a model and keep the best that keeps its quality."""
    requested = precisions_of(precisions)
    if track is not None and not train:
        raise typer.BadParameter("--track says where a training is logged: add --train.")
    from modelyard.api.optimization import RUNTIMES
    from modelyard.builder.optimization.optimizer import OptimizationRequest
    from modelyard.builder.optimization.optimizer import optimize as run
    from modelyard.builder.optimization.report.report import write
    from modelyard.builder.optimization.search.recipes import recipes

    from .optimize_view import progress, show

    runtimes = RUNTIMES if runtime is Runtimes.ANY else (runtime.value,)
    with _scratch(out) as scratch, staged(path, trust_pickle, sample) as model, progress() as watch:
        request = OptimizationRequest(
            model, goal.value, max_quality_loss, requested, budget, seed, out, runtimes=runtimes, search=search
        )
        if train:
            from modelyard.builder.optimization.training.starting_points import begin

            begun = begin(request, trust_code, watch.say, track=track.value if track else "")
            outcome = run(begun.request, begun.recipes, scratch, watch)
            report = write(outcome, out)
            begun.log(outcome, watch.say)
        else:
            report = write(run(request, recipes, scratch, watch), out)
    if output is not Output.TABLE:
        dump(report.model_dump(mode="json", by_alias=True, exclude_none=True), output)
    else:
        show(report, out)


@contextmanager
def staged(path: Path, trust_pickle: bool, sample: Path | None = None) -> Iterator[Path]:
    """PATH itself when it can be read as it is, else its converted form, which is gone afterwards."""
    from modelyard.builder.artifacts.staging import Naming, stage

    with tempfile.TemporaryDirectory(prefix="modelyard-staged-") as scratch:
        onnx_for = "variants are made of ONNX models"
        yield stage(path, Path(scratch), Naming(trust_pickle=trust_pickle, sample=sample, onnx_for=onnx_for))


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder for variants on the disk that also takes the result; OUT itself goes again when nothing came of it."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".variants-", dir=out) as scratch:
            yield Path(scratch).absolute()
    except BaseException:
        with suppress(OSError):
            out.rmdir()
        raise
