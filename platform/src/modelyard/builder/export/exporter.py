"""An entry or a model file as one archive for a machine without Modelyard, and the check of such an archive.

`archive` says what is inside, `formats` how each format is made and run. Models are touched only in
`worker`, in a confined process; what is not converted, or answers otherwise, leaves no archive behind.
"""

import hashlib
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard import __version__
from modelyard.api.entry import EntryMetadata
from modelyard.builder.artifacts.source import described
from modelyard.builder.evaluation.evaluation_set import ABSOLUTE, RELATIVE
from modelyard.builder.inference.sandbox import SECONDS, WorkerDied, confined, meaning
from modelyard.errors import InvalidSettings

from .archive import MANIFEST, README, ArchiveManifest, Golden, Origin, pack, unpack
from .formats import format_of, require
from .readme import readme

_WORKER = "modelyard.builder.export.worker"


@dataclass(frozen=True)
class Checked:
    """An archive that answers as it should: by which runtime, on how many rows, with what largest differences."""

    manifest: ArchiveManifest
    size: int
    sha256: str
    runtime: str
    rows: int
    largest_difference: dict[str, float]

    def facts(self) -> dict[str, Any]:
        """The same as plain values for --json and tables; size in bytes."""
        source = self.manifest.source
        return {
            "name": source.name,
            "version": source.version,
            "format": self.manifest.format,
            "source": source.digest,
            "licence": self.manifest.licence,
            "files": len(self.manifest.files),
            "size": self.size,
            "sha256": self.sha256,
            "runtime": self.runtime,
            "golden": self.manifest.golden.origin,
            "rows": self.rows,
            "largestDifference": self.largest_difference,
        }


def export(path: Path, format_name: str, out: Path, digest: str | None = None, seconds: float = SECONDS) -> Checked:
    """Writes the archive OUT from the entry folder, file or repository at PATH; an older OUT is replaced.

    `digest` is the entry's own when the caller knows it. Raises InvalidSettings when the format cannot be made here
    or OUT not be written, UnsupportedModel when the model cannot be converted or then answers otherwise.
    """
    require_format(format_name)
    _writable(out)
    with tempfile.TemporaryDirectory(prefix="modelyard-export-") as scratch:
        outcome = _confined(["make", str(path.absolute()), format_name, scratch], Path(scratch, "result.json"), seconds)
        archive = Path(scratch, "archive")
        manifest = _described(outcome, format_name, digest or outcome["digest"], archive)
        try:
            pack(out, {name: archive / name for name in (MANIFEST, *(file.path for file in manifest.files))})
        except OSError as bad:
            raise InvalidSettings(f"{out} cannot be written ({bad.strerror}); name another file with --out.") from bad
    return _checked(manifest, out, outcome)


def require_format(name: str) -> None:
    """Raises InvalidSettings, with the remedy, when this machine cannot make the format or not ask it."""
    form = format_of(name)
    require(form.against_making())
    require(form.against_asking())


def check(path: Path, seconds: float = SECONDS) -> Checked:
    """Runs the archive at `path` on its golden inputs, in a process that ends after `seconds`, and compares.

    Raises InvalidEntry when it is no export, CorruptEntry when it is damaged, InvalidSettings when its runtime is
    missing here, UnsupportedModel when its answers are others, HostFailure when the machine failed.
    """
    with tempfile.TemporaryDirectory(prefix="modelyard-check-") as scratch:
        folder = Path(scratch, "archive")
        manifest = unpack(path, folder)
        form = format_of(manifest.format)
        require(form.against_asking())
        outcome = _confined(["check", manifest.format, str(folder)], Path(scratch, "result.json"), seconds)
    return _checked(manifest, path, outcome)


def _confined(arguments: list[str], result: Path, seconds: float) -> dict[str, Any]:
    try:
        return confined(_WORKER, [*arguments, str(result)], result, seconds)
    except WorkerDied as death:
        raise meaning(death, seconds) from death


def _described(outcome: dict[str, Any], format_name: str, digest: str, archive: Path) -> ArchiveManifest:
    """The manifest, after README and manifest were written beside the rest."""
    metadata = EntryMetadata.model_validate(outcome["metadata"]) if outcome["metadata"] else None
    declared = {
        "licence": metadata.licence,
        "framework": metadata.framework,
        "task": metadata.task,
        "labels": metadata.labels,
        "metrics": metadata.metrics,
        "training_data": metadata.training_data,
    } if metadata else {}  # fmt: skip
    manifest = ArchiveManifest(
        format=format_name,
        source=Origin(name=outcome["name"], version=metadata.version if metadata else "", digest=digest),
        golden=Golden(origin=outcome["origin"], rows=outcome["rows"], relative=RELATIVE, absolute=ABSOLUTE),
        producer=f"modelyard {__version__}",
        converter=outcome["converter"],
        files=(),
        **declared,
    )
    (archive / README).write_text(readme(manifest))
    names = sorted(path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file())
    complete = manifest.model_copy(update={"files": tuple(described(archive / name, name) for name in names)})
    plain = {"kind": complete.kind, **complete.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    (archive / MANIFEST).write_text(json.dumps(plain, indent=2, ensure_ascii=False) + "\n")
    return complete


def _checked(manifest: ArchiveManifest, path: Path, outcome: dict[str, Any]) -> Checked:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = path.stat().st_size
    return Checked(manifest, size, digest, outcome["runtime"], outcome["rows"], outcome["largestDifference"])


def _writable(out: Path) -> None:
    if out.is_dir():
        raise InvalidSettings(f"{out} is a folder; name a file, such as --out {out / 'model.zip'}.")
    if not out.absolute().parent.is_dir():
        raise InvalidSettings(f"there is no folder {out.parent} for {out.name}; make it, or name another --out.")
