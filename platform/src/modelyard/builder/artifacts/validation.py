"""What a model does when it is tried: run by `sandbox` in a process of its own, because the file may be hostile.

    python -m modelyard.builder.artifacts.validation FOLDER

FOLDER holds `model.onnx` or `model.xml`, and perhaps `eval.npz`; `findings.json` and `proof.npz` (one sample
with the runtime's answer) are written there. A model is batchable when dimension 0 of every input is open and rows do
not influence one another (`batching`): what a file declares of its outputs is no evidence, and is put right.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelyard.api.entry import Judgement
from modelyard.builder.evaluation.evaluate import judge, measured
from modelyard.builder.evaluation.evaluation_set import (
    EVALUATION,
    EvaluationSet,
    Feed,
    Judge,
    Run,
    read_evaluation,
    write_arrays,
)
from modelyard.builder.evaluation.importance import importances
from modelyard.builder.evaluation.sample_inputs import recipes, sample
from modelyard.builder.inference.sandbox import SECONDS, WorkerDied, confined, meaning
from modelyard.builder.inference.sessions import CHUNK, open_model
from modelyard.builder.inspection.chance import outputs_of_chance
from modelyard.builder.inspection.graph import Graph
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.inspection.onnx_graph import read_model
from modelyard.builder.inspection.runtime_messages import onnxruntime_message
from modelyard.builder.triton.config import MAX_BATCH
from modelyard.core.failure_causes import blamed
from modelyard.errors import InvalidEntry, ModelyardError

from .batching import against_batching, raise_if_of_the_machine
from .perturbed_weights import is_small, with_other_last_bits
from .served_form import declare_batch, make_servable

FINDINGS, PROOF, MODEL, IR, JUDGEMENT = "findings.json", "proof.npz", "model.onnx", "model.xml", "judgement.json"
_TRIED = 5
_MODULE = "modelyard.builder.artifacts.validation"
_NOT_THE_SAME = "--not-deterministic"


def findings(folder: Path, seconds: float = SECONDS, *, deterministic: bool = True) -> dict[str, Any]:
    """What `gather` says about FOLDER's model, in a process of its own that ends after `seconds`.

    Raises InvalidEntry or UnsupportedModel as `gather` does, HostFailure when the machine ended the process.
    """
    try:
        return confined(_MODULE, [str(folder), *([] if deterministic else [_NOT_THE_SAME])], folder / FINDINGS, seconds)
    except WorkerDied as death:
        raise meaning(death, seconds) from death


def gather(folder: Path, *, served: bool = True, deterministic: bool = True) -> dict[str, Any]:
    """Runs the model in FOLDER on its evaluation set or on made-up inputs, and writes one sample to proof.npz.

    Returns {"batchable", "reason": why, "outputShapes": by output name, "chance": outputs that are not the same twice,
    "importance": by column of the inputs, where it is `served`, "quality": EvaluationSet.compare's, or None}. An ONNX
    file that is to be `served` is put right: outputs that turn out to be scalars get one element, those of a batchable
    model are declared so. Of a model whose author says that it is not `deterministic` no output is the same twice,
    whatever the graph shows.
    Raises InvalidEntry or UnsupportedModel when the model does not run or its answers are wrong, HostFailure when the
    machine failed.
    """
    path = folder / (MODEL if (folder / MODEL).is_file() else IR)
    graph = inspect(path)
    chance = _of_chance(path) if deterministic else frozenset(port.name for port in graph.outputs)
    run = _session(path, [port.name for port in graph.outputs])
    evaluation = read_evaluation(folder / EVALUATION, graph) if (folder / EVALUATION).is_file() else None
    fixed = _fixed_first_dimension(graph)
    rows = _rows(graph, run, evaluation, alone=fixed is not None)
    scalars = [name for name, value in run(rows[0]).items() if value.ndim == 0]
    changeable = served and path.name == MODEL
    if scalars and changeable:
        make_servable(path, scalars)
        return gather(folder, deterministic=deterministic)
    perturbed, most = lambda seed: _perturbed(path, graph, seed), _most_rows(path, graph)
    reason = fixed or _by_chance(chance) or against_batching(run, rows, perturbed, most)
    feed = rows[0]
    answer = run(feed)
    arrays = {f"input:{k}": v for k, v in feed.items()} | {f"output:{k}": v for k, v in answer.items()}
    write_arrays(arrays, folder / PROOF)
    if reason is None and changeable:
        declare_batch(path)
    return {
        "batchable": reason is None,
        "reason": reason or "dimension 0 is dynamic everywhere, and no row changes with the row beside it",
        "outputShapes": _shapes(answer, run(feed) if chance else answer),
        "chance": sorted(chance),
        "importance": _importance(evaluation, run) if served and reason is None else {},
        "quality": _quality(folder, evaluation, run, CHUNK if reason is None else None, chance),
    }


def _quality(
    folder: Path, evaluation: EvaluationSet | None, run: Run, chunk: int | None, chance: frozenset[str]
) -> dict[str, Any] | None:
    """How well the model does on its evaluation set; outputs of chance are not held to their values."""
    if evaluation is None:
        return None
    held = {name: value for name, value in evaluation.outputs.items() if name not in chance}
    judged = _judge(folder)
    accuracy = None if judged or chance else measured(folder / EVALUATION)
    return replace(evaluation, outputs=held).compare(_of_the_author(run), chunk, judged, accuracy)


def _importance(evaluation: EvaluationSet | None, run: Run) -> dict[str, float]:
    """How much each input moves the outputs; nothing where a model takes no row that has one value of another's."""
    if evaluation is None or not evaluation.rows:
        return {}
    try:
        return importances(evaluation.inputs, run)
    except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
        raise_if_of_the_machine(bad)
        return {}


def _of_the_author(run: Run) -> Run:
    """The model on rows of its evaluation set: what it does not take is the fault of these."""

    def asked(feed: Feed) -> Feed:
        try:
            return run(feed)
        except Exception as bad:
            raise_if_of_the_machine(bad)
            given = ", ".join(f"input:{name} {list(value.shape)}" for name, value in feed.items())
            raise InvalidEntry(
                f"the model does not take what {EVALUATION} gives it ({given}): {onnxruntime_message(bad)}; correct "
                f"{EVALUATION}."
            ) from bad

    return asked


def _shapes(first: Feed, second: Feed) -> dict[str, list[int]]:
    """Shapes of two answers to one input by output name; -1 for sizes that differ, and for all where ranks do."""
    shapes = {}
    for name, value in first.items():
        pairs = zip(value.shape, second[name].shape, strict=True) if value.ndim == second[name].ndim else ()
        shapes[name] = [a if a == b else -1 for a, b in pairs] if pairs else [-1] * value.ndim
    return shapes


def _of_chance(path: Path) -> frozenset[str]:
    return outputs_of_chance(read_model(path)) if path.name == MODEL else frozenset()


def _by_chance(chance: frozenset[str]) -> str | None:
    names = ", ".join(repr(name) for name in sorted(chance))
    return (
        f"{names} depend{'s' if len(chance) == 1 else ''} on chance, so nothing shows that rows are apart"
        if chance
        else None
    )


def _session(path: Path, outputs: list[str]) -> Run:
    if path.suffix == ".xml":
        return _request(path, outputs)
    return _onnxruntime(str(path), outputs)


def _most_rows(path: Path, graph: Graph) -> int:
    """How many rows are tried together: as many as are served at once, none where the model is large."""
    beside = [file for name in ("model.bin", *graph.data_files) if (file := path.parent / name).is_file()]
    return MAX_BATCH if is_small([path, *beside]) else 0


def _perturbed(path: Path, graph: Graph, seed: int) -> Run | None:
    """The model with other last bits in its weights; None where that cannot be had."""
    changed = with_other_last_bits(path, seed) if path.name == MODEL else None
    return None if changed is None else _onnxruntime(changed, [port.name for port in graph.outputs])


def _onnxruntime(model: str | bytes, outputs: list[str]) -> Run:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
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
    """Why dimension 0 cannot be a batch, or None when every input leaves it open; outputs are asked by running."""
    for port in graph.inputs:
        if not port.dims:
            return f"input {port.name!r} is a scalar"
        if isinstance(port.dims[0], int):
            return f"dimension 0 of input {port.name!r} is fixed to {port.dims[0]}"
    return None


def _rows(graph: Graph, run: Run, evaluation: EvaluationSet | None, *, alone: bool) -> list[Feed]:
    """Inputs the model accepts, from the evaluation set or made up, of one row each unless `alone`."""
    if evaluation is not None:
        one_by_one = 0 if alone else min(_TRIED, evaluation.rows)
        rows = [evaluation.row(index) for index in range(one_by_one)] or [evaluation.inputs]
        _of_the_author(run)(rows[0])
        return rows
    refused = ""
    for size, kind in recipes(graph.weight_sizes):
        made = [sample(graph.inputs, size, kind, seed, None if alone else 1) for seed in range(1, _TRIED + 1)]
        rows = [row for row in made if row is not None]
        if not rows:
            continue
        try:
            run(rows[0])
        except Exception as bad:  # noqa: BLE001 - onnxruntime's exceptions share no base class
            raise_if_of_the_machine(bad)
            refused = refused or onnxruntime_message(bad)
            continue
        return rows
    raise InvalidEntry(
        "no made-up input was accepted by the model; add an eval.npz with a real one beside it "
        f"(onnxruntime said: {refused})."
    )


def main(folder: Path, *, deterministic: bool = True) -> int:
    """Writes the findings, or the error as {"reason", "message"}; 0 in both cases."""
    try:
        result = gather(folder, deterministic=deterministic)
    except ModelyardError as bad:
        result = {"error": {"reason": bad.reason, "message": str(bad)}}
    (folder / FINDINGS).write_text(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), deterministic=_NOT_THE_SAME not in sys.argv[2:]))
