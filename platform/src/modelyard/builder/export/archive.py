"""The archive an export is: a .zip whose bytes depend on its content and on nothing else.

    README.md       how to check it, for people
    manifest.json   what it is and where it comes from; size and SHA-256 of every other file
    config.json     inputs and outputs: name, datatype, shape (-1 is dynamic)
    golden.npz      `input:NAME` and `output:NAME`: what goes in, and what must come out
    model/          the model in its format
    MODEL_CARD.md   the entry's own, when it has one

Files are in the order of their names, dated 1980 and stored as they are: compressors differ between machines, and
weights hardly shrink. Whoever reads an archive trusts nothing in it: names stay inside the folder, the manifest and
the archive must list the same files, and nothing is larger when unpacked than the archive itself.
"""

import hashlib
import io
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from modelyard.api.entry import EntryFile, TrainingData
from modelyard.builder.evaluation.evaluation_set import storable
from modelyard.core.failure_causes import host_failure
from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import CorruptEntry, InvalidEntry, ModelyardError

README, MANIFEST, CONFIG, GOLDEN, MODEL, CARD = (
    "README.md", "manifest.json", "config.json", "golden.npz", "model", "MODEL_CARD.md",
)  # fmt: skip
_DATE = (1980, 1, 1, 0, 0, 0)
_LARGEST_MANIFEST = 4 << 20


class _Closed(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Origin(_Closed):
    """The source of an export: `digest` is the entry's in the registry, or that of what a path held."""

    name: str
    version: str = ""
    digest: str


class Golden(_Closed):
    """Where the golden rows are from, how many they are, and how close an answer has to come.

    Rows of the evaluation set have the outputs the author expects (`evaluation`) or, where a metric judges the model,
    its own (`judged`); so have made-up ones (`generated`).
    """

    origin: Literal["evaluation", "judged", "generated"]
    rows: int
    relative: float
    absolute: float


class ArchiveManifest(_Closed):
    """`manifest.json`. What the entry does not say is left out."""

    kind: Literal["modelyard-export/1"] = "modelyard-export/1"
    format: str
    source: Origin
    licence: str = ""
    framework: str = ""
    task: str = ""
    labels: tuple[str, ...] = ()
    metrics: dict[str, float] = {}
    training_data: TrainingData | None = None
    golden: Golden
    producer: str
    converter: str = ""
    files: tuple[EntryFile, ...]


def pack(target: Path, files: Mapping[str, Path]) -> None:
    """Writes `files` (by name in the archive) to TARGET, whole or not at all: renamed when complete. Raises OSError."""
    with _complete(target) as unfinished, zipfile.ZipFile(unfinished, "x") as archive:
        for name in sorted(files):
            with files[name].open("rb") as stream, archive.open(_item(name), "w", force_zip64=True) as member:
                shutil.copyfileobj(stream, member, 1 << 20)


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes arrays by key as an .npz file: equal arrays give equal bytes; strings as fixed-width Unicode."""
    import numpy as np

    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name]) if np.ndim(arrays[name]) else np.asarray(arrays[name])
            held = io.BytesIO()
            np.lib.format.write_array(held, storable(array), allow_pickle=False)
            archive.writestr(_item(f"{name}.npy"), held.getvalue())


def unpack(path: Path, folder: Path) -> ArchiveManifest:
    """Extracts the export at `path` into FOLDER, every file compared with the manifest, which is returned.

    Raises InvalidEntry when it is no export, CorruptEntry when a file is damaged, missing or not listed.
    """
    if not path.is_file():
        raise InvalidEntry(f"there is no file {path}; name the .zip that `modelyard export` wrote.")
    try:
        with zipfile.ZipFile(path) as archive:
            items = _items(archive, path)
            manifest = _manifest(archive, items, path)
            for file in manifest.files:
                _extract(archive, items[file.path], file, folder / file.path)
    except ModelyardError:
        raise
    except Exception as bad:  # zipfile raises what it likes
        damaged = CorruptEntry(f"{path.name} is damaged ({bad}); copy it again, or export again.")
        raise host_failure(bad) or damaged from bad
    return manifest


def _items(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    listed = archive.infolist()
    items = {item.filename: item for item in listed}
    if MANIFEST not in items:
        raise InvalidEntry(f"{path.name} has no {MANIFEST}: it is not an export; make one with `modelyard export`.")
    strange = next((item.filename for item in listed if not is_safe_path(item.filename)), None)
    if strange is not None or len(items) != len(listed):
        raise CorruptEntry(f"{path.name} holds {strange or 'a name twice'}, which no export does; export again.")
    packed = any(item.compress_type != zipfile.ZIP_STORED for item in listed)
    if packed or sum(item.file_size for item in listed) > path.stat().st_size:
        raise CorruptEntry(f"{path.name} was packed by something else, or is no honest archive; export again.")
    return items


def _manifest(archive: zipfile.ZipFile, items: Mapping[str, zipfile.ZipInfo], path: Path) -> ArchiveManifest:
    if items[MANIFEST].file_size > _LARGEST_MANIFEST:
        raise CorruptEntry(f"the {MANIFEST} of {path.name} is absurdly large; export again.")
    try:
        manifest = ArchiveManifest.model_validate_json(archive.read(MANIFEST))
    except ValidationError as bad:
        field = ".".join(map(str, bad.errors()[0]["loc"])) or "its JSON"
        raise CorruptEntry(f"the {MANIFEST} of {path.name} is damaged ({field}); export again.") from bad
    listed = {file.path for file in manifest.files}
    odd = sorted(listed ^ (set(items) - {MANIFEST}))
    if odd:
        where = "is missing from" if odd[0] in listed else "is not in the manifest of"
        raise CorruptEntry(f"{odd[0]} {where} {path.name}; export again.")
    missing = next((name for name in (CONFIG, GOLDEN) if name not in listed), None)
    if missing:
        raise CorruptEntry(f"{path.name} has no {missing}; export again.")
    return manifest


def _extract(archive: zipfile.ZipFile, item: zipfile.ZipInfo, file: EntryFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(item) as member, target.open("xb") as out:
        while block := member.read(1 << 20):
            digest.update(block)
            out.write(block)
    if digest.hexdigest() != file.sha256 or item.file_size != file.size:
        raise CorruptEntry(f"{file.path} is not what was exported (its SHA-256 differs); export again.")


def _item(name: str) -> zipfile.ZipInfo:
    item = zipfile.ZipInfo(name, _DATE)
    item.create_system, item.external_attr = 3, 0o100644 << 16
    return item


@contextmanager
def _complete(target: Path) -> Iterator[Path]:
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
