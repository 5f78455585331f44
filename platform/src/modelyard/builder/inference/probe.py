"""One variant in a process of its own: it answers the evaluation set, or keeps the model warm and times it.

    python -m modelyard.builder.inference.probe answer JOB RESULT
        answers to all of JOB's inputs, as answers.npz beside RESULT
    python -m modelyard.builder.inference.probe time JOB
        reads {"rows", "seconds"} from stdin, a line each, and writes {"milliseconds": [...]} for each;
        {} ends with the peak memory

JOB is a JSON file: model, inputs (an .npz of arrays by name), threads, gpu, batchable.
"""

import gc
import json
import os
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from modelyard.builder.evaluation.evaluation_set import Feed, Run, read_arrays, write_arrays
from modelyard.builder.inspection.runtime_messages import onnxruntime_message
from modelyard.core.failure_causes import blamed
from modelyard.errors import ModelyardError

from .sessions import CHUNK, Opener, open_model

ANSWERS = "answers.npz"
WARM_UP, LEAST, MOST = 2, 3, 5000
_FEEDS = 16


def answer(job: dict[str, Any], result: Path) -> dict[str, Any]:
    """Runs all rows of the job's inputs and writes the outputs as answers.npz beside `result`.

    Returns {"seconds": of running, "peakMemory": bytes}; raises UnsupportedModel or HostFailure when a run fails.
    """
    import numpy as np

    run, inputs = _open(job), read_arrays(Path(job["inputs"]))
    rows = len(next(iter(inputs.values()))) if job["batchable"] else 0
    started = time.perf_counter()
    try:
        chunks = [
            run({name: value[start : start + CHUNK] for name, value in inputs.items()} if rows else inputs)
            for start in (range(0, rows, CHUNK) if rows else (0,))
        ]
    except Exception as bad:
        raise blamed(bad, f"it fails on the evaluation set: {onnxruntime_message(bad)}") from bad
    seconds = time.perf_counter() - started
    answers = {
        name: np.concatenate([chunk[name] for chunk in chunks]) if rows else chunks[0][name] for name in chunks[0]
    }
    write_arrays(answers, result.parent / ANSWERS)
    return {"seconds": seconds, "peakMemory": peak_memory()}


def time_turns(job: dict[str, Any], opener: Opener = open_model) -> None:
    """Opens the model, says {} or why it cannot, and then times a batch size for each line of stdin."""
    try:
        _time_turns(job, opener)
    except ModelyardError as bad:
        _write_line({"error": str(bad)})


def _time_turns(job: dict[str, Any], opener: Opener) -> None:
    run, inputs = _open(job, opener), read_arrays(Path(job["inputs"]))
    feeds: dict[int, list[Feed]] = {}
    _write_line({})
    gc.disable()
    for line in sys.stdin:
        turn = json.loads(line)
        if not turn:
            _write_line({"peakMemory": peak_memory()})
            return
        rows = turn["rows"]
        if rows not in feeds:
            feeds[rows] = feeds_of(inputs, rows, job["batchable"])
        _write_line({"milliseconds": timed(run, feeds[rows], turn["seconds"])})


def timed(run: Run, feeds: list[Feed], seconds: float) -> list[float]:
    """Milliseconds of each inference, over the feeds in turn, for about `seconds`; at least LEAST of them."""
    ring = cycle(feeds)
    for feed in islice(ring, WARM_UP):
        run(feed)
    milliseconds, end = [], time.perf_counter() + seconds
    while len(milliseconds) < LEAST or (time.perf_counter() < end and len(milliseconds) < MOST):
        feed = next(ring)
        before = time.perf_counter_ns()
        run(feed)
        milliseconds.append((time.perf_counter_ns() - before) / 1e6)
    return milliseconds


def feeds_of(inputs: Feed, rows: int, batchable: bool) -> list[Feed]:
    """At most 16 inputs of `rows` rows each, from different places of `inputs`; `inputs` alone when not batchable."""
    import numpy as np

    if not batchable:
        return [inputs]
    there = len(next(iter(inputs.values())))
    starts = range(0, min(there, rows * _FEEDS), rows)
    return [{name: np.take(v, np.arange(s, s + rows) % there, axis=0) for name, v in inputs.items()} for s in starts]


def peak_memory() -> int:
    """Largest resident memory of this process so far, bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def _open(job: dict[str, Any], opener: Opener = open_model) -> Run:
    cores = sorted(os.sched_getaffinity(0))[: job["threads"]]
    os.sched_setaffinity(0, cores)
    return opener(Path(job["model"]), len(cores), job["gpu"])


def _write_line(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """0 when the result has been written, or the error as {"reason", "message"}."""
    job = json.loads(Path(arguments[1]).read_text())
    if arguments[0] == "time":
        time_turns(job)
        return 0
    result = Path(arguments[2])
    try:
        outcome = answer(job, result)
    except ModelyardError as bad:
        outcome = {"error": {"reason": bad.reason, "message": str(bad)}}
    result.write_text(json.dumps(outcome))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
