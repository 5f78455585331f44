"""Artifacts that an offline run logged, and a copy of one's files.

Field numbers are those of W&B's `wandb_internal.proto`, which it keeps for logs that are on disk. An artifact that is
logged twice in a run is there twice; the later one is meant, unless its digest is named.
"""

import base64
import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from modelyard.core.storage.keys import is_safe_path
from modelyard.core.storage.synced import entry_name
from modelyard.errors import InvalidEntry

from .messages import WireFields
from .transaction_log import records

SCHEME = "wandb:"
_MODELS = (".onnx", ".joblib", ".pkl", ".pickle")
_ENTRY = "modelyard.yaml"
_ARTIFACT = 8
_TYPE, _NAME, _DIGEST, _MANIFEST, _INCREMENTAL = 4, 5, 6, 12, 100
_CONTENTS, _MANIFEST_FILE = 4, 5
_PATH, _FILE_DIGEST, _REFERENCE, _LOCAL = 1, 2, 3, 6


@dataclass(frozen=True)
class StagedFile:
    """A file of an artifact: its path there, its MD5 in base64, where it lies, and what it points at in its place."""

    path: str
    digest: str
    local: str
    reference: str = ""


@dataclass(frozen=True)
class StagedArtifact:
    """What a run logged under a name."""

    name: str
    kind: str
    digest: str
    files: tuple[StagedFile, ...]
    complete: bool = True

    def copy(self, target: Path) -> None:
        """Copies its files into the new folder TARGET. Raises InvalidEntry when one is gone, changed or elsewhere."""
        if not self.complete:
            raise InvalidEntry(
                f"{self.name} is not whole in its run's log (an incremental artifact, or one of very many files): "
                "`wandb sync` it, download it with wandb, and push that folder."
            )
        target.mkdir(parents=True)
        for file in self.files:
            self._copy(file, target)

    def _copy(self, file: StagedFile, target: Path) -> None:
        if file.reference:
            raise InvalidEntry(
                f"{file.path} of {self.name} only points at {file.reference[:200]}: log the file itself (add_file)."
            )
        if not is_safe_path(file.path):
            raise InvalidEntry(f"{self.name} names the unsafe path {file.path[:200]!r}: log it anew.")
        source, copied = Path(file.local), target / file.path
        if not source.is_file():
            raise InvalidEntry(
                f"{file.path} of {self.name} was staged as {file.local}, which is not there: push it on the machine "
                "that trained, before W&B's staging folder (WANDB_DATA_DIR) is emptied."
            )
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copied)
        digest = hashlib.md5(copied.read_bytes(), usedforsecurity=False).digest()
        if base64.b64encode(digest).decode() != file.digest:
            raise InvalidEntry(f"{file.local} is not what {self.name} logged as {file.path}: its digest differs.")


def artifacts(run: Path) -> list[StagedArtifact]:
    """The artifacts of a run's folder, in the order in which they were logged. Raises InvalidEntry when it is none."""
    logs = sorted(run.glob("run-*.wandb")) if run.is_dir() else []
    if len(logs) != 1:
        raise InvalidEntry(
            f"{run} holds no log of one run (run-<id>.wandb): name the folder of an offline run, such as "
            "wandb/offline-run-20260101_120000-abcd1234."
        )
    found = []
    for record in records(logs[0]):
        try:
            found += [_artifact(artifact) for artifact in WireFields(record).messages(_ARTIFACT)]
        except ValueError as bad:
            raise InvalidEntry(f"{logs[0]} holds a record that is not W&B's ({bad}): log the run anew.") from bad
    return found


def unpacked(address: str, scratch: Path) -> tuple[Path, str]:
    """The model or the entry folder of `wandb:RUN/ARTIFACT`, copied into SCRATCH, and what to call a lone model.

    Raises InvalidEntry when there is no such artifact, or it holds neither.
    """
    run, _, name = address.removeprefix(SCHEME).rpartition("/")
    if not run or not name:
        raise InvalidEntry(f"{address} names no artifact of a run: write wandb:FOLDER-OF-THE-RUN/ARTIFACT.")
    logged = artifacts(Path(run))
    wanted = [each for each in logged if name in (each.name, f"{each.name}:{each.digest}")]
    if not wanted:
        raise InvalidEntry(f"the run in {run} logged no artifact {name}: {_listed(logged)}.")
    folder = scratch / "artifact"
    wanted[-1].copy(folder)
    return _pushable(folder, wanted[-1].name), entry_name(wanted[-1].name)


def _pushable(folder: Path, name: str) -> Path:
    """The folder when it is an entry's, else its one model file."""
    if (folder / _ENTRY).is_file():
        return folder
    models = sorted(file for file in folder.iterdir() if file.suffix in _MODELS)
    if len(models) != 1:
        has = ", ".join(sorted(file.name for file in folder.iterdir())[:8]) or "nothing"
        raise InvalidEntry(
            f"the artifact {name} holds no one model to push, but {has}: log one .onnx file, with its eval.npz, or an "
            f"entry folder with a {_ENTRY}."
        )
    return models[0]


def _listed(logged: Iterable[StagedArtifact]) -> str:
    names = sorted({each.name for each in logged})
    return f"it has {', '.join(names[:8])}" if names else "it logged none"


def _artifact(fields: WireFields) -> StagedArtifact:
    [manifest] = fields.messages(_MANIFEST) or [WireFields(b"")]
    files = tuple(
        StagedFile(entry.text(_PATH), entry.text(_FILE_DIGEST), entry.text(_LOCAL), entry.text(_REFERENCE))
        for entry in manifest.messages(_CONTENTS)
    )
    complete = not manifest.text(_MANIFEST_FILE) and not fields.number(_INCREMENTAL)
    return StagedArtifact(fields.text(_NAME), fields.text(_TYPE), fields.text(_DIGEST), files, complete)
