"""The parent's end of a timing process (`probe`): requests as lines of JSON, answers awaited with patience."""

import json
import selectors
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .sandbox import end, fate, start

PROBE = "modelyard.builder.inference.probe"
_MOST_ROOM, _LEAST_ROOM = 120.0, 5.0
"""Seconds an answer may take beyond what was asked for (opening a large model takes long), less near the deadline."""


class WorkerLost(Exception):
    """The process answers no more, or with an error; the sentence says why."""


class Worker:
    """A model kept warm in a process of its own."""

    def __init__(self, program: str, job: Mapping[str, Any], path: Path, deadline: float) -> None:
        """Starts `python -m PROGRAM time PATH` and writes `job`, as `probe` describes it, to PATH.

        Answers are awaited less patiently towards `deadline` (time.monotonic, seconds).
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(job))
        self._errors = path.with_suffix(".err")
        with self._errors.open("wb") as errors:
            self._process = start(
                program,
                ["time", str(path)],
                gpu=job["gpu"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
            )
        self._deadline = deadline

    def opened(self) -> None:
        """Waits until the model is open; raises WorkerLost when it cannot be opened or the process ended."""
        self._read_answer(0.0)

    @property
    def pid(self) -> int:
        return self._process.pid

    def turn(self, rows: int, seconds: float) -> list[float]:
        """Milliseconds of each inference of `rows` rows, run for about `seconds`; raises WorkerLost."""
        return self._request({"rows": rows, "seconds": seconds}, seconds)["milliseconds"]

    def finish(self) -> int:
        """Lets the process end and returns its peak memory in bytes; 0 when it is gone."""
        try:
            return self._request({}, 0.0)["peakMemory"]
        except WorkerLost:
            return 0

    def end(self) -> None:
        """Kills the process with everything it started."""
        end(self._process)

    def _request(self, order: dict[str, Any], seconds: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
        except BrokenPipeError:
            raise self._ended() from None
        return self._read_answer(seconds)

    def _read_answer(self, seconds: float) -> dict[str, Any]:
        stream = self._process.stdout
        assert stream is not None
        now = time.monotonic()
        patience = seconds + min(_MOST_ROOM, max(_LEAST_ROOM, self._deadline - now))
        line, until = b"", now + patience
        with selectors.DefaultSelector() as selector:
            selector.register(stream, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise WorkerLost(f"it did not answer for {patience:.0f} seconds while it was timed.")
                more = stream.read(1 << 16)
                if not more:
                    raise self._ended()
                line += more
        answer = json.loads(line)
        if "error" in answer:
            raise WorkerLost(answer["error"])
        return answer

    def _ended(self) -> WorkerLost:
        code = self._process.wait()
        return WorkerLost(f"while it was timed, it {fate(code, self._errors.read_text(errors='replace'))}.")
