"""`start.py serve FOLDER`: does the jobs of a builder in another container, which has the store's keys and no torch.

    ready        what this Python lacks, as `missing` prints it; there when we listen
    N.job        a zip: job.json {"verb", "job"}, folder/** (the entry's training folder), evaluation.npz if needed
    N.said       progress, a line each, while the job is under way
    N.result     a zip: code (the exit code), errors (the end of stderr), result.json and out/** if there are any

Files appear whole, by rename. Every job is done in a folder of its own outside the common one, which is removed. A
job that was under way when this container ended is not begun again: what it needs, it would need once more. What
begins and ends is told on stdout too, for the container's log.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from types import FrameType

PAUSE = 0.2
_TAIL = 4000
_KILLED = -signal.SIGKILL


def serve(common: Path, start: Path, missing: str) -> None:
    """Does every job that comes, one after the other, until SIGTERM; `start` is the program that does one."""
    signal.signal(signal.SIGTERM, _leave)
    for job in common.glob("*.job"):
        if job.with_suffix(".said").exists() and not job.with_suffix(".result").exists():
            _write(job.with_suffix(".result"), _KILLED, b"", {})
    _appear(common / "ready", missing.encode())
    while True:
        for job in sorted(common.glob("*.job")):
            if not job.with_suffix(".result").exists():
                _do(job, start)
        time.sleep(PAUSE)


def _do(job: Path, start: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="job-") as scratch:
        here = Path(scratch)
        with zipfile.ZipFile(job) as sent:
            sent.extractall(here)
        request = json.loads((here / "job.json").read_text())
        local_job = {**request["job"], "folder": str(here / "folder"), "out": str(here / "out")}
        if (here / "evaluation.npz").exists():
            local_job["evaluation"] = str(here / "evaluation.npz")
        job_file, result = here / "order.json", here / "result.json"
        job_file.write_text(json.dumps(local_job))
        (here / "out").mkdir()
        command = [sys.executable, "-I", str(start), request["verb"], str(job_file), str(result)]
        print(f"job {job.stem}: {request['verb']}", flush=True)
        with job.with_suffix(".said").open("wb") as progress, (here / "errors").open("wb") as errors:
            code = subprocess.run(command, stdout=progress, stderr=errors, check=False).returncode
        words = (here / "errors").read_bytes()[-_TAIL:]
        print(f"job {job.stem}: ended with {code}\n{words.decode(errors='replace') if code else ''}", flush=True)
        files = {path.relative_to(here).as_posix(): path for path in (here / "out").rglob("*") if path.is_file()}
        if result.exists():
            files["result.json"] = result
        _write(job.with_suffix(".result"), code, words, files)


def _write(path: Path, code: int, errors: bytes, files: dict[str, Path]) -> None:
    unfinished = path.with_suffix(".unfinished")
    with zipfile.ZipFile(unfinished, "w") as made:
        made.writestr("code", str(code))
        made.writestr("errors", errors)
        for name, file in files.items():
            made.write(file, name)
    unfinished.rename(path)


def _appear(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    unfinished.rename(path)


def _leave(number: int, frame: FrameType | None) -> None:
    """The first process of a container has to ask for its own end; what it started ends with the container."""
    os._exit(128 + number)
