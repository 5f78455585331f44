"""Training in a container beside ours, which has torch and none of our keys: the two have one folder in common.

MODELYARD_TRAINER names the folder; `programs.sidecar_server` is the other side and says what lies there. What comes
back was in the hands of the author's code, so only regular files are read, of bounded size, and unpacking cannot lead
elsewhere.
"""

import json
import os
import shutil
import stat
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from modelyard.core.failure_causes import host_failure
from modelyard.errors import InvalidSettings, UnsupportedModel

TRAINER = "MODELYARD_TRAINER"
_PAUSE, _PATIENCE = 0.2, 300.0
_MOST_BYTES, _MOST_FILES, _SMALL, _LONGEST_LINE = 8 << 30, 10_000, 1 << 20, 200
_STRANGE = "the trainer gave something that is no result; look at the log of the container `trainer`"


def common() -> Path | None:
    """The folder in common; None when training happens in a process of ours."""
    named = os.environ.get(TRAINER)
    return Path(named) if named else None


def missing(folder: Path, patience: float = _PATIENCE) -> tuple[str, ...]:
    """The packages the trainer lacks, once it listens; raises InvalidSettings when it does not."""
    until = time.monotonic() + patience
    while not (folder / "ready").exists():
        if time.monotonic() > until:
            raise InvalidSettings(
                f"nobody listens in {folder}, where {TRAINER} says the trainer is (after {patience:.0f} s): look at "
                "the container `trainer` of this pod, and at config.build.trainImage."
            )
        time.sleep(_PAUSE)
    with _opened(folder / "ready") as ready:
        return tuple(name.replace("_", "-") for name in ready.read(_LONGEST_LINE).decode(errors="replace").split())


def carried_out(
    folder: Path, verb: str, job: dict[str, Any], result: Path, errors: Path, tell: Callable[[str], None]
) -> int:
    """The exit code of a job, with RESULT and ERRORS written and its files in job["out"]; `tell` gets its progress.

    Raises UnsupportedModel when what came back is no result, HostFailure when our own disk is to blame.
    """
    place = folder / f"{len(list(folder.glob('*.job'))):03}.job"
    offset = 0
    try:
        _send(place, verb, job)
        while not place.with_suffix(".result").exists():
            time.sleep(_PAUSE)
            offset = _tell_progress(place.with_suffix(".said"), offset, tell)
        _tell_progress(place.with_suffix(".said"), offset, tell)
        with _opened(place.with_suffix(".result")) as content, zipfile.ZipFile(content) as came:
            return _unpacked(came, result, errors, Path(job["out"]))
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as bad:
        raise host_failure(bad) or UnsupportedModel(f"{_STRANGE} ({bad}).") from bad


def _send(place: Path, verb: str, job: dict[str, Any]) -> None:
    unfinished, folder = place.with_suffix(".unfinished"), Path(job["folder"])
    with zipfile.ZipFile(unfinished, "x") as sent:  # not through a link that lies there
        sent.writestr("job.json", json.dumps({"verb": verb, "job": job}))
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                sent.write(path, f"folder/{path.relative_to(folder).as_posix()}")
        if "evaluation" in job:
            sent.write(job["evaluation"], "evaluation.npz")
    unfinished.rename(place)


def _tell_progress(path: Path, offset: int, tell: Callable[[str], None]) -> int:
    """Calls `tell` with the whole lines of the file after `offset` bytes; gives the offset after the last of them."""
    try:
        with _opened(path) as log:
            log.seek(offset)
            fresh = log.read(1 << 20)
    except OSError:
        return offset
    whole = fresh[: fresh.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        tell(line[:_LONGEST_LINE])
    return offset + len(whole)


def _unpacked(came: zipfile.ZipFile, result: Path, errors: Path, out: Path) -> int:
    members = came.infolist()
    if len(members) > _MOST_FILES or sum(member.file_size for member in members) > _MOST_BYTES:
        raise ValueError("it is too large")
    code = int(_small(came, "code"))
    errors.write_bytes(_small(came, "errors"))
    if "result.json" in came.namelist():
        result.write_bytes(_small(came, "result.json"))
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=errors.parent) as unpacked:
        files = [member for member in members if member.filename.startswith("out/") and not member.is_dir()]
        came.extractall(unpacked, files)  # never outside the folder, and never a link
        if files:
            shutil.copytree(Path(unpacked, "out"), out, dirs_exist_ok=True)
    return code


def _small(came: zipfile.ZipFile, name: str) -> bytes:
    """A member that is read into memory; raises ValueError when it is not small, KeyError when there is none."""
    if came.getinfo(name).file_size > _SMALL:
        raise ValueError(f"its {name} is too large")
    return came.read(name)


def _opened(path: Path) -> IO[bytes]:
    """A regular file: a link could point at our keys, and a pipe would keep us waiting. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path.name} is no file")
    return os.fdopen(descriptor, "rb")
