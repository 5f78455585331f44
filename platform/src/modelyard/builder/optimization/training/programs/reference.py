"""The original network in torch itself, eager or compiled: timed to compare with, never chosen.

Speaks as the timing process of variants does (`inference.probe`): `answer` writes all answers, `time` reads
{"rows", "seconds"} a line and writes {"milliseconds": [...]}, {} ends it with the peak memory.
"""

import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .authored import Authored

WARM_UP, LEAST, MOST, FEEDS, CHUNK = 2, 3, 5000, 16, 64
COMPILED_FOR = (1, 8)
"""Batch sizes that a compiled network has met before it counts as open."""

Feed = tuple[Tensor, ...]


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Writes all answers as answers.npz into the job's `out`; gives {"seconds", "peakMemory"} (bytes)."""
    run, inputs = opened(job)
    rows = len(inputs[0])
    started = time.perf_counter()
    chunks = [run(tuple(array[start : start + CHUNK] for array in inputs)) for start in range(0, rows, CHUNK)]
    seconds = time.perf_counter() - started
    np.savez(Path(job["out"]) / "answers.npz", **{job["outputs"][0]: np.concatenate(chunks)})
    return {"seconds": seconds, "peakMemory": peak_memory()}


def time_turns(job: dict[str, Any]) -> None:
    """Times turns as stdin asks for them, until it asks with {}."""
    run, inputs = opened(job)
    feeds: dict[int, list[Feed]] = {}
    _say({})
    gc.disable()
    for line in sys.stdin:
        request = json.loads(line)
        if not request:
            _say({"peakMemory": peak_memory()})
            return
        rows = request["rows"]
        feeds.setdefault(rows, _feeds(inputs, rows))
        _say({"milliseconds": _timed(run, feeds[rows], request["seconds"])})


def opened(job: dict[str, Any]) -> tuple[Callable[[Feed], np.ndarray], Feed]:
    """The network as a function, and all inputs; a compiled one is compiled here."""
    cores = sorted(os.sched_getaffinity(0))[: job["threads"]]
    os.sched_setaffinity(0, cores)
    torch.set_num_threads(len(cores))
    network: Any = Authored(Path(job["folder"]), job["recipe"]).original()
    with np.load(job["evaluation"], allow_pickle=False) as arrays:
        inputs = tuple(torch.from_numpy(arrays[f"input:{name}"]) for name in job["inputs"])
    if job["compiled"]:
        # Of its own: in the shared one, a compilation that was cut short leaves half a library behind, for good.
        compiled = Path(job["out"]) / "compiled"
        shutil.rmtree(compiled, ignore_errors=True)
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(compiled)
        network = torch.compile(network, dynamic=False)

    def run(feed: Feed) -> np.ndarray:
        with torch.inference_mode():
            return network(*feed).numpy()

    for rows in COMPILED_FOR if job["compiled"] else (1,):
        run(_feeds(inputs, rows)[0])
    return run, inputs


def peak_memory() -> int:
    """Largest resident memory of this process so far, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def _timed(run: Callable[[Feed], np.ndarray], feeds: list[Feed], seconds: float) -> list[float]:
    ring, times = cycle(feeds), []
    for feed in islice(ring, WARM_UP):
        run(feed)
    until = time.perf_counter() + seconds
    while len(times) < LEAST or (time.perf_counter() < until and len(times) < MOST):
        feed, before = next(ring), time.perf_counter_ns()
        run(feed)
        times.append((time.perf_counter_ns() - before) / 1e6)
    return times


def _feeds(inputs: Feed, rows: int) -> list[Feed]:
    there = len(inputs[0])
    starts = range(0, min(there, rows * FEEDS), rows)
    return [tuple(array[torch.arange(start, start + rows) % there] for array in inputs) for start in starts]


def _say(value: dict[str, Any]) -> None:
    os.write(1, json.dumps(value).encode() + b"\n")
