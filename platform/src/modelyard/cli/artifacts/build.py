"""`modelyard build`: on a workstation from a path, in the cluster's Job from an entry.

With `--publish` a failure is also written as {"reason", "message"} to `$MODELYARD_TERMINATION_LOG`, where the
operator reads the sentence that becomes the Model's condition.
"""

import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output
from modelyard.cli.terminal.options import Sample, TrustPickle

if TYPE_CHECKING:
    from modelyard.api.report import OptimizationSummary, Report
    from modelyard.builder.artifacts.assemble import AssemblyRequest

MODEL_NAME = re.compile(r"(?!.*--)[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")


class Target(StrEnum):
    """Hardware a build is for."""

    CPU = "cpu"
    GPU = "gpu"


def build(
    what: Annotated[str, typer.Argument(metavar="PATH|ENTRY", help="A path, or digits:1, or digits@champion.")],
    name: Annotated[str | None, typer.Option(help="Name the model is served under; the source's by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the artifact; NAME-build by default.")] = None,
    target: Annotated[Target, typer.Option(help="Hardware; the artifact serves on both.")] = Target.CPU,
    publish: Annotated[bool, typer.Option("--publish", help="Put the build of an entry into the store.")] = False,
    optimize: Annotated[
        str | None,
        typer.Option(metavar="JSON", help='Serve the best variant, as spec.optimize asks: {"budget": "2m"}, or {}.'),
    ] = None,
    tune: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help='With --publish: tune it, as spec.tune asks: {"percentile": 99, "threshold": 0.05, "cpus": 1}.',
        ),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="For a path: rows as they should be, .csv, .parquet or .npz, in the place of eval.npz."),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="With --publish: let its server keep answers, as spec.cache asks.")
    ] = False,
    sign: Annotated[
        bool, typer.Option("--sign", help="With --publish: sign it with the key of the setting signing.keyFile.")
    ] = False,
    verify: Annotated[
        list[str] | None,
        typer.Option(metavar="KEYS", help="With --sign: public keys, in base64, of which one has to have signed."),
    ] = None,
    trust_code: Annotated[
        bool,
        typer.Option("--trust-code", help='Run a Python model; with "train": true the files of the entry\'s recipe.'),
    ] = False,
    sample: Sample = None,
    trust_pickle: TrustPickle = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the report.")] = Output.TABLE,
) -> None:
    """Build an entry or a file into a proved Triton model repository."""
    from modelyard.cli.terminal.console import dump
    from modelyard.clients.cluster.termination_message import leave, reason

    if tune is not None and not publish:
        raise typer.BadParameter("--tune goes with --publish; `modelyard tune` tunes what lies here.")
    if reference is not None and (publish or optimize is not None):
        raise typer.BadParameter("--reference goes with a plain build; `modelyard push --reference` is for all others.")
    if sample is not None and publish:
        raise typer.BadParameter("--sample goes with a path: what is in the registry has been converted.")
    if cache and not publish:
        raise typer.BadParameter("--cache goes with --publish: it is the server of a Model that keeps answers.")
    if (sign and not publish) or (verify and not sign):
        raise typer.BadParameter("--sign goes with --publish, and --verify with --sign.")
    if not publish:
        report = _locally(
            what, name, out, target, optimize, reference, sample, trust_pickle=trust_pickle, trust_code=trust_code
        )
    else:
        try:
            policies = verify or () if sign else None
            report = _published(what, name, target, optimize, tune, policies, cache=cache, trust_code=trust_code)
        except Exception as bad:
            leave(reason(bad, "the builder"))
            raise
    if output is not Output.TABLE:
        dump(report.model_dump(mode="json", by_alias=True, exclude_none=True), output)
    else:
        show(report)


def model_name(name: str | None, source: str) -> str:
    """The name to serve under: `name`, or one made from the source's; checked as Kubernetes will check it.

    Raises InvalidEntry when it is no usable name.
    """
    from modelyard.errors import InvalidEntry

    name = name or re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")[:40].strip("-")
    if not MODEL_NAME.fullmatch(name):
        raise InvalidEntry(
            f"{name!r} is not a usable model name: give --name up to 40 lower-case letters, digits and single dashes."
        )
    return name


def show(report: "Report") -> None:
    """Prints the report in a few lines: size and digest, tensors, batching, quality, variant, proof."""
    from modelyard.cli.terminal.console import out

    def tensors(items: tuple) -> str:
        return ", ".join(f"{tensor.name} {tensor.datatype}{list(tensor.shape)}" for tensor in items)

    batching = report.batching
    console = out()
    console.print(f"{report.model}: good ({report.size:,} bytes, {report.digest})", markup=False, soft_wrap=True)
    console.print(f"  takes    {tensors(report.inputs)}", markup=False, soft_wrap=True)
    console.print(f"  gives    {tensors(report.outputs)}", markup=False, soft_wrap=True)
    most = f"up to {batching.max_batch_size} rows" if batching.max_batch_size else "never"
    console.print(f"  batched  {most}: {batching.reason}", markup=False, soft_wrap=True)
    if report.quality:
        worst = max(report.quality.largest_difference.values(), default=0.0)
        metric = f", {report.quality.metric} {report.quality.value:.4g}" if report.quality.value is not None else ""
        console.print(f"  eval.npz {report.quality.rows} rows{metric}, largest difference {worst:.3g}", markup=False)
    if report.optimization:
        console.print(f"  variant  {variant_line(report.optimization)}", markup=False, soft_wrap=True)
    if report.profile:
        told = report.profile
        watched = f"{told.features} features of {told.rows} rows, {told.source}" if told.rows else f"no: {told.reason}"
        console.print(f"  watched  {watched}", markup=False, soft_wrap=True)
    proved = f"one inference by {report.proof.server}" if report.proof.server else "not here: it is its author's Python"
    console.print(f"  proved   {proved}", markup=False)


def variant_line(summary: "OptimizationSummary") -> str:
    """What was chosen and what it brings, in one line."""
    from modelyard.api.optimization import ORIGINAL
    from modelyard.core.artifacts import optimization_summary

    if summary.variant == ORIGINAL:
        return summary.reason
    return f"{summary.variant} in {summary.runtime}: {optimization_summary.given(summary)}"


def _locally(
    what: str,
    name: str | None,
    out: Path | None,
    target: Target,
    optimize: str | None,
    reference: Path | None = None,
    sample: Path | None = None,
    *,
    trust_pickle: bool,
    trust_code: bool,
) -> "Report":
    from modelyard.api.report import BuildSource
    from modelyard.builder.artifacts.assemble import AssemblyRequest, ProgressSteps
    from modelyard.builder.artifacts.assemble import build as build_artifact
    from modelyard.builder.artifacts.source import read_source
    from modelyard.builder.artifacts.staging import Naming, stage, write_profile
    from modelyard.builder.python_models.folder import refuse_beyond_cpus, require_trust
    from modelyard.cli.connection import ENTRY_WORDS, entry_called, open_registry
    from modelyard.cli.terminal.console import say
    from modelyard.core.names import build_digest

    with tempfile.TemporaryDirectory(prefix="modelyard-build-") as scratch:
        if Path(what).exists() or not ENTRY_WORDS.fullmatch(what):
            naming = Naming(trust_pickle=trust_pickle, sample=sample, say=say, trust_code=trust_code)
            path = stage(Path(what), Path(scratch), naming)
            source = read_source(path)
            if reference is not None:
                source = replace(source, profile=write_profile(source, reference, Path(scratch, "profile.json")))
            version = source.metadata.version if source.metadata else ""
            digest = source.digest()
        else:
            registry, path = open_registry(), Path(scratch, "entry")
            entry = entry_called(what)
            registry.fetch(entry, path)
            source, version, digest = read_source(path), entry.version, entry.digest
        if source.is_python:
            require_trust(source.name, trust_code)
            refuse_beyond_cpus(source.name, target.value)
        model = model_name(name, source.name)
        reported = BuildSource(kind=source.kind, name=source.name, version=version, digest=digest)
        folder = out or Path(f"{model}-build")
        if optimize is not None:
            return _optimized(
                path, optimize, AssemblyRequest(model, digest, reported, target.value), folder, trust_code
            )
        identity = build_digest(digest, model, {})
        request = AssemblyRequest(model, identity, reported, target.value, trusted=trust_code)
        return build_artifact(source, request, folder, ProgressSteps(say)).report


def build_here(
    what: str, name: str | None, out: Path | None, sample: Path | None = None, *, trust_pickle: bool, trust_code: bool
) -> Path:
    """Builds a path or an entry on this machine, for its CPUs and without variants; the folder with the artifact."""
    report = _locally(
        what, name, out, Target.CPU, None, sample=sample, trust_pickle=trust_pickle, trust_code=trust_code
    )
    return out or Path(f"{report.model}-build")


def _optimized(path: Path, options: str, request: "AssemblyRequest", folder: Path, trust_code: bool) -> "Report":
    """Builds here with a table that fills; the digest of `request` is still that of the source."""
    from modelyard.builder.artifacts.assemble import ProgressSteps
    from modelyard.builder.optimization.options import parse_options
    from modelyard.builder.optimization.results.publish import build as build_optimized
    from modelyard.core.names import build_digest

    from .optimize_view import progress

    requested = parse_options(options, request.target)
    request = replace(request, digest=build_digest(request.digest, request.model, requested.options))
    with progress() as watch:
        steps = ProgressSteps(watch.say)
        return build_optimized(path, requested, request, folder, steps, watch, trust_code=trust_code).report


def _published(
    what: str,
    name: str | None,
    target: Target,
    optimize: str | None,
    tune: str | None,
    policies: Sequence[str] | None,
    *,
    cache: bool,
    trust_code: bool,
) -> "Report":
    """Builds and publishes an entry; with `policies`, even none, signed, and only if its own signatures satisfy them.

    Raises what building, reading keys and verifying raise.
    """
    from modelyard.builder.artifacts.assemble import ProgressSteps
    from modelyard.builder.artifacts.publish import publish
    from modelyard.builder.optimization.options import parse_options
    from modelyard.builder.optimization.results.publish import publish as publish_optimized
    from modelyard.builder.python_models.folder import require_publishable
    from modelyard.builder.tuning.options import parse_tuning
    from modelyard.builder.tuning.publish import publish_tuned
    from modelyard.cli.connection import entry_called, open_registry, open_store
    from modelyard.cli.terminal.console import say
    from modelyard.registry.signed_entries import build_signer, fetch_signed

    tuning = parse_tuning(tune) if tune is not None else None
    entry = entry_called(what)
    if entry.is_python:
        wishes = {"optimize": optimize is not None, "tune": tune is not None, "cache": cache}
        asked = [name for name, wanted in wishes.items() if wanted]
        require_publishable(f"{entry.name}:{entry.version}", trust_code, target.value, asked)
    registry = open_registry()
    model = model_name(name, entry.name)
    store, steps = open_store(), ProgressSteps(say)
    signer = build_signer(registry, entry, policies) if policies is not None else None

    def fetch(folder: Path) -> None:
        fetch_signed(registry, entry, folder) if signer is not None else registry.fetch(entry, folder)

    if optimize is None and (tuning is not None or cache):
        return publish_tuned(entry, model, tuning, store, fetch, steps, cache=cache, target=target.value, signer=signer)
    if optimize is None:
        return publish(entry, model, target.value, store, fetch, steps, signer)
    requested = parse_options(optimize, target.value)
    return publish_optimized(
        entry, model, requested, store, fetch, steps, trust_code=trust_code, tuning=tuning, cache=cache, signer=signer
    )
