"""`modelyard export`: a model in the format another machine wants, with the proof that it answers as it should."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output, dump, say
from modelyard.cli.terminal.options import Sample, Shown, TrustPickle

if TYPE_CHECKING:
    from modelyard.api.entry import Entry
    from modelyard.builder.export.exporter import Checked

_ENTRY = re.compile(r"([a-z0-9][a-z0-9._-]*)(?:([:@])([A-Za-z0-9][A-Za-z0-9._-]*))?")
_FILES = (".onnx", ".joblib", ".pkl", ".pickle", ".zip")


class Form(StrEnum):
    """What the model is exported as."""

    ONNX = "onnx"
    OPENVINO = "openvino"
    TFLITE = "tflite"
    COREML = "coreml"


def export(
    what: Annotated[
        str | None, typer.Argument(metavar="[ENTRY|PATH]", help="digits, digits:1, digits@champion, or a path.")
    ] = None,
    form: Annotated[Form | None, typer.Option("--format", help="What to export it as.")] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE.zip", help="The archive to write.")] = None,
    check: Annotated[
        Path | None, typer.Option(metavar="FILE.zip", help="Check this archive instead: digests and golden answers.")
    ] = None,
    sample: Sample = None,
    trust_pickle: TrustPickle = False,
    output: Shown = Output.TABLE,
) -> None:
    """Export a model as one archive with golden inputs and outputs, or check such an archive."""
    from modelyard.builder.export import exporter as exports

    if check is not None:
        if what is not None or form is not None or out is not None:
            raise typer.BadParameter("--check stands alone: it reads an archive and writes nothing.")
        checked, file = exports.check(check), check
    elif what is None or form is None or out is None:
        raise typer.BadParameter("say what to export, as which --format, and to which --out; or --check FILE.zip.")
    else:
        exports.require_format(form.value)
        with _source(what, trust_pickle, sample) as (path, digest):
            say(f"converting to {form.value} and asking it")
            checked, file = exports.export(path, form.value, out, digest), out
    if output is not Output.TABLE:
        dump({"file": str(file), **checked.facts()}, output)
    else:
        _show(checked, file, new=check is None)


@contextmanager
def _source(what: str, trust_pickle: bool, sample: Path | None) -> Iterator[tuple[Path, str | None]]:
    """The folder or file to export, and the digest the registry knows it by, if it is an entry."""
    from modelyard.builder.artifacts.staging import Naming, stage
    from modelyard.cli.connection import open_registry
    from modelyard.core.storage.entry_metadata import METADATA
    from modelyard.errors import InvalidEntry
    from modelyard.registry.folder import read_folder

    match = _ENTRY.fullmatch(what)
    with tempfile.TemporaryDirectory(prefix="modelyard-export-") as scratch:
        if Path(what).exists() or match is None or what.endswith(_FILES):
            if not Path(what).exists():
                raise InvalidEntry(f"there is no {what}; name a file, a folder, or an entry such as digits:1.")
            onnx_for = "archives are made of ONNX models"
            path = stage(Path(what), Path(scratch), Naming(trust_pickle=trust_pickle, sample=sample, onnx_for=onnx_for))
            entry = path.is_dir() and (path / METADATA).is_file()
            yield path, read_folder(path).entry.digest if entry else None
        else:
            name, sign, rest = match.groups()
            registered, folder = _resolved(name, sign, rest), Path(scratch, "entry")
            open_registry().fetch(registered, folder)
            yield folder, registered.digest


def _resolved(name: str, sign: str | None, rest: str | None) -> "Entry":
    """The entry that is named; without version or alias the newest version, and it is said which."""
    from modelyard.cli.connection import open_registry
    from modelyard.errors import UnknownEntry

    registry = open_registry()
    if sign:
        return registry.resolve(name, version=rest) if sign == ":" else registry.resolve(name, alias=rest)
    versions = [listed.entry for listed in registry.entries() if listed.entry.name == name]
    if not versions:
        raise UnknownEntry(
            f"there is no file {name} here and no entry {name} in the registry; `modelyard entries` lists them."
        )
    say(f"{name}:{versions[-1].version} is its newest version")
    return versions[-1]


def _show(checked: "Checked", file: Path, new: bool) -> None:
    """The archive in a few lines."""
    from modelyard.cli.terminal.console import out

    source, console = checked.manifest.source, out()
    name = f"{source.name}:{source.version}" if source.version else source.name
    done = "exported" if new else "intact"
    differences = checked.largest_difference.values()
    rows = f"{checked.rows} golden row{'s' if checked.rows != 1 else ''} ({checked.manifest.golden.origin})"
    lines = (
        f"{file}: {done}, {name} as {checked.manifest.format} ({len(checked.manifest.files) + 1} files, "
        f"{checked.size:,} bytes)",
        f"  sha256   {checked.sha256}",
        f"  source   {source.digest}",
        f"  licence  {checked.manifest.licence or 'none named by the entry'}",
        f"  answers  as they should in {checked.runtime}: {rows}, largest difference {max(differences):.3g}",
    )
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
