"""`modelyard push`."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.terminal.console import Output
from modelyard.cli.terminal.options import Sample, TrustCode, TrustPickle


def push(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="Entry folder, .onnx file or a framework's model; wandb:RUN/ARTIFACT of an offline run's folder.",
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Entry name of a lone file; its stem by default.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of a lone file.")] = None,
    reference: Annotated[
        Path | None,
        typer.Option(help="Rows as they should be, .csv, .parquet or .npz; drift is told by them, not by eval.npz."),
    ] = None,
    sample: Sample = None,
    trust_pickle: TrustPickle = False,
    trust_code: TrustCode = False,
    key: Annotated[Path | None, typer.Option(help="Sign it with this private key, NAME.key.")] = None,
    commit: Annotated[
        str,
        typer.Option(
            help="With --key: commit of the code that made it.",
            envvar=["MODELYARD_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"],
        ),
    ] = "",
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
) -> None:
    """Push an entry folder or a model file into the registry, once it was tried here."""
    from modelyard.builder.artifacts.staging import Naming, stage_entry, with_reference
    from modelyard.cli.connection import open_registry
    from modelyard.cli.terminal.console import dump, moving, out, say
    from modelyard.registry.folder import read_folder
    from modelyard.signing.entry_signature import signature_of
    from modelyard.signing.keys import SigningKey

    signing = SigningKey.read(key) if key is not None else None
    registry = open_registry()
    with tempfile.TemporaryDirectory(prefix="modelyard-push-") as scratch:
        model, called = _local(path, Path(scratch))
        naming = Naming(name or called, version, trust_pickle, sample, say, trust_code)
        folder = stage_entry(model, Path(scratch), naming)
        if reference is not None:
            folder = with_reference(folder, reference, Path(scratch))
        entry = read_folder(folder).entry
        if registry.find(entry.name, entry.version) is None:
            _try(folder, Path(scratch, "tried"), trusted=trust_code)
        with moving(f"pushing {entry.name}:{entry.version}", entry.size) as progress:
            pushed = registry.push(folder, progress)
    if signing is not None:  # over what was read here, not over what the store says was there already
        registry.sign(entry, signing.public.id, signature_of(entry, signing, commit))
    signed = {"signedBy": signing.public.id} if signing is not None else {}
    if output is not Output.TABLE:
        dump(
            {"name": entry.name, "version": entry.version, "digest": entry.digest, "new": pushed.new, **signed}, output
        )
        return
    what = "pushed" if pushed.new else "already there, unchanged:"
    out().print(
        f"{what} {entry.name}:{entry.version} ({len(entry.files)} files, {entry.size:,} bytes) {entry.digest}"
        + "".join(f", signed by {name}" for name in signed.values()),
        markup=False,
        soft_wrap=True,
    )


def _local(path: str, scratch: Path) -> tuple[Path, str | None]:
    """The folder or file that is meant, and what a lone file is called when nobody says so: None means its stem."""
    from modelyard.registry.wandb.artifacts import SCHEME, unpacked

    if not path.startswith(SCHEME):
        return Path(path), None
    model, called = unpacked(path, scratch)
    return model, None if model.is_dir() else called


def _try(folder: Path, scratch: Path, *, trusted: bool = False) -> None:
    """Tries the model before its version is used up; a machine that cannot is no reason not to push."""
    from modelyard.builder.artifacts.staging import try_entry
    from modelyard.cli.terminal.console import say
    from modelyard.errors import HostFailure, InvalidSettings, Unreachable

    say("trying the model")
    try:
        try_entry(folder, scratch, trusted=trusted)
    except (
        HostFailure,
        InvalidSettings,
        Unreachable,
    ) as failure:  # a Python model takes a Triton, which not all can have
        say(f"pushed without a try: {failure}")
