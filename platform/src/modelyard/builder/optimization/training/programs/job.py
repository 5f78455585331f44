"""The command line of the torch environment.

    start.py missing                        prints the packages this Python lacks
    start.py train|draw|score JOB RESULT    progress as lines of text on stdout, RESULT as JSON
    start.py retrain JOB RESULT             a new version by the author's own function; needs no torch
    start.py figures JOB RESULT             the finished report's figures into the run of the training
    start.py answer JOB RESULT              the reference's answers (`reference`)
    start.py time JOB                       the reference's timing
    start.py serve FOLDER                   all but `time`, for a builder in another container (`sidecar_server`)

What goes wrong is the last line of stderr, and the exit code is 1. What the author's code prints goes to stderr.
"""

import contextlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "onnx", "onnxruntime", "onnxscript", "safetensors", "torch_pruning")


def main(arguments: list[str]) -> int:
    """Does what the command line asks; gives the exit code, 0 or 1."""
    verb, rest = arguments[0], arguments[1:]
    if verb == "missing":
        print(_missing())
        return 0
    if verb == "serve":
        from .sidecar_server import serve

        serve(Path(rest[0]), Path(__file__).resolve().parent.parent / "start.py", _missing())
        return 0
    job = json.loads(Path(rest[0]).read_text())
    try:
        with contextlib.redirect_stdout(sys.stderr):
            _done(verb, job, Path(rest[1]) if len(rest) > 1 else None)
    except (Exception, SystemExit) as bad:  # noqa: BLE001 - the author's code raises anything
        if verb == "time":
            _say(json.dumps({"error": " ".join(str(bad).split())[:300]}))
            return 0
        kind = "" if type(bad) is ValueError else f"{type(bad).__name__}: "
        sys.stderr.write(f"\n{kind}{' '.join(str(bad).split())}\n")
        return 1
    return 0


def _missing() -> str:
    return " ".join(name for name in PACKAGES if importlib.util.find_spec(name) is None)


def _done(verb: str, job: dict[str, Any], result: Path | None) -> None:
    if verb in ("answer", "time"):
        from . import reference

        if result is None:
            reference.time_turns({**job, **json.loads(Path(job["model"]).read_text()), "threads": job["threads"]})
            return
        outcome = reference.answer(job)
    elif verb == "retrain":
        outcome = _retrained(job)
    else:
        outcome = _figured(job) if verb == "figures" else _trained(verb, job)
    assert result is not None
    result.write_text(json.dumps(outcome))


def _trained(verb: str, job: dict[str, Any]) -> dict[str, Any]:
    import torch

    from . import candidate
    from .authored import Authored
    from .tracking.journal import journal
    from .train import Ports, TrainingJob, train

    torch.set_num_threads(job["threads"])
    torch.use_deterministic_algorithms(True, warn_only=True)
    with journal(job["name"], job["run"], job.get("track", ""), _say) as log:
        if verb == "train":
            log.params({"recipe": job["recipe"], "entry": job["name"]} if not job["run"] else {})
        authored = Authored(Path(job["folder"]), job["recipe"])
        ports = Ports(tuple(job["inputs"]), tuple(job["outputs"]))
        training_job = TrainingJob(authored, ports, Path(job["out"]), _say, log)
        if verb == "train":
            return {"stages": train(training_job), "run": log.run, "notes": log.notes}
        if verb == "draw":
            return {"drawn": candidate.drawn(training_job, job["architectures"])}
        return candidate.scored(training_job, job["architecture"], job["epochs"])


def _retrained(job: dict[str, Any]) -> dict[str, Any]:
    from .retraining.retrain import MODEL, retrained
    from .tracking.journal import journal

    with journal(job["name"], "", job.get("track", ""), _say) as log:
        log.params({"entry": job["name"], "recipe": job["recipe"]})
        outcome = retrained(job)
        log.params({"rows": outcome["rows"]})
        log.digest("model", Path(job["out"]) / MODEL)
    return outcome


def _figured(job: dict[str, Any]) -> dict[str, Any]:
    from .tracking.journal import journal

    with journal(job["name"], job["run"], job.get("track", ""), _say) as log:
        for name, value in job["figures"].items():
            log.metric(name, value)
    return {}


def _say(line: str) -> None:
    os.write(1, line.encode() + b"\n")
