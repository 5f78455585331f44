"""What a model does when it is tried: run by `sandbox` in a process of its own, because the file may be hostile.

    python -m modelyard.builder.artifacts.validation FOLDER

FOLDER holds `model.onnx` or `model.xml`, and perhaps `eval.npz`; `findings.json` and `proof.npz` (one sample
with the runtime's answer) are written there. A model is batchable only when dimension 0 is dynamic in every input
and output *and* two rows together give what each gives alone: a declared batch dimension is not evidence.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from modelyard.api.entry import Judgement
from modelyard.builder.evaluation.evaluate import judge
from modelyard.builder.evaluation.evaluation_set import (
    EVALUATION,
    EvaluationSet,
    Feed,
    Judge,
    Run,
    close,
    read_evaluation,
    write_arrays,
)
from modelyard.builder.evaluation.sample_inputs import recipes, sample
from modelyard.builder.inference.sandbox import SECONDS, WorkerDied, confined, meaning
from modelyard.builder.inference.sessions import CHUNK, onnxruntime_message, open_model
from modelyard.builder.inspection.graph import Graph
from modelyard.builder.inspection.model_file import inspect
from modelyard.core.failure_causes import blamed, cause_of_exception
from modelyard.errors import InvalidEntry, ModelyardError

FINDINGS, PROOF, MODEL, IR, JUDGEMENT = "findings.json", "proof.npz", "model.onnx", "model.xml", "judgement.json"
_MODULE = "modelyard.builder.artifacts.validation"


def findings(folder: Path, seconds: float = SECONDS) -> dict[str, Any]:
    """What `gather` says about FOLDER's model, in a process of its own that ends after `seconds`.

    Raises InvalidEntry or UnsupportedModel as `gather` does, HostFailure when the machine ended the process.
    """
    try:
        return confined(_MODULE, [str(folder)], folder / FINDINGS, seconds)
    except WorkerDied as death:
        raise meaning(death, seconds) from death


def gather(folder: Path) -> dict[str, Any]:
    """Runs the model in FOLDER on its evaluation set or on made-up inputs, and writes one sample to proof.npz.

    Returns {"batchable", "reason": why, "outputShapes": by output name, "quality": EvaluationSet.compare's, or None}.
    Raises InvalidEntry or UnsupportedModel when the model does not run or its answers are wrong, HostFailure when the
    machine failed.
    """
    path = folder / (MODEL if (folder / MODEL).is_file() else IR)
    graph = inspect(path)
    run = _session(path, [port.name for port in graph.outputs])
    evaluation = read_evaluation(folder / EVALUATION, graph) if (folder / EVALUATION).is_file() else None
    fixed = _fixed_first_dimension(graph)
    rows = _two_rows(graph, run, evaluation, alone=fixed is not None)
    reason = fixed or _against_batching(run, rows)
    feed = rows[0]
    answer = run(feed)
    arrays = {f"input:{k}": v for k, v in feed.items()} | {f"output:{k}": v for k, v in answer.items()}
    write_arrays(arrays, folder / PROOF)
    return {
        "batchable": reason is None,
        "reason": reason or "dimension 0 is dynamic everywhere, and two rows together give what each gives alone",
        "outputShapes": {name: list(value.shape) for name, value in answer.items()},
        "quality": evaluation.compare(run, CHUNK if reason is None else None, _judge(folder)) if evaluation else None,
    }


def _session(path: Path, outputs: list[str]) -> Run:
    if path.suffix == ".xml":
        return _request(path, outputs)
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as bad:  # onnxruntime's exceptions share no base class
        raise blamed(bad, f"onnxruntime cannot run this model: {onnxruntime_message(bad)}") from bad

    def run(feed: Feed) -> Feed:
        return dict(zip(outputs, session.run(outputs, feed), strict=True))

    return run


def _judge(folder: Path) -> Judge | None:
    """The metric that `modelyard.yaml` names in place of a comparison with every expected output."""
    if not (folder / JUDGEMENT).is_file():
        return None
    return judge(Judgement.model_validate_json((folder / JUDGEMENT).read_bytes()), folder / EVALUATION)


def _request(path: Path, outputs: list[str]) -> Run:
    opened = open_model(path, len(os.sched_getaffinity(0)))

    def run(feed: Feed) -> Feed:
        answer = opened(feed)
        return {name: answer[name] for name in outputs}

    return run


def _fixed_first_dimension(graph: Graph) -> str | None:
    """Why dimension 0 cannot be a batch, or None when every input and output leaves it open."""
    for kind, ports in (("input", graph.inputs), ("output", graph.outputs)):
        for port in ports:
            if port.dims is None:
                continue
            if not port.dims:
                return f"{kind} {port.name!r} is a scalar"
            if isinstance(port.dims[0], int):
                return f"dimension 0 of {kind} {port.name!r} is fixed to {port.dims[0]}"
    return None


def _two_rows(graph: Graph, run: Run, evaluation: EvaluationSet | None, *, alone: bool) -> tuple[Feed, Feed]:
    """Two different inputs the model accepts, from the evaluation set or made up."""
    if evaluation is not None:
        if alone or evaluation.rows < 1:
            return evaluation.inputs, evaluation.inputs
        return evaluation.row(0), evaluation.row(min(1, evaluation.rows - 1))
    refused = ""
    for size, kind in recipes():
        pair = [sample(graph.inputs, size, kind, seed, None if alone else 1) for seed in (1, 2)]
        if pair[0] is None or pair[1] is None:
            continue
        try:
            run(pair[0])
        except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
            _raise_if_of_the_machine(bad)
            refused = refused or onnxruntime_message(bad)
            continue
        return pair[0], pair[1]
    raise InvalidEntry(
        "no made-up input was accepted by the model; add an eval.npz with a real one beside it "
        f"(onnxruntime said: {refused})."
    )


def _against_batching(run: Run, rows: tuple[Feed, Feed]) -> str | None:
    """Why two rows must not be run together, or None when they may."""
    import numpy as np

    first, second = run(rows[0]), run(rows[1])
    for name, value in first.items():
        if value.ndim == 0 or value.shape[0] != 1:
            return f"output {name!r} gives {list(value.shape)} for one row, not one row"
    try:
        both = run({name: np.concatenate([value, rows[1][name]]) for name, value in rows[0].items()})
    except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
        _raise_if_of_the_machine(bad)
        return f"two rows together fail: {onnxruntime_message(bad)}"
    for name, value in both.items():
        if value.shape[0] != 2 or not (close(value[:1], first[name]) and close(value[1:], second[name])):
            return f"output {name!r} of two rows together differs from the rows alone"
    return None


def _raise_if_of_the_machine(bad: Exception) -> None:
    """Raises HostFailure when `bad` is for want of memory or the like, which says nothing of the model."""
    if cause_of_exception(bad) is not None:
        raise blamed(bad, onnxruntime_message(bad)) from bad


def main(folder: Path) -> int:
    """Writes the findings, or the error as {"reason", "message"}; 0 in both cases."""
    try:
        result = gather(folder)
    except ModelyardError as bad:
        result = {"error": {"reason": bad.reason, "message": str(bad)}}
    (folder / FINDINGS).write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
