"""What is known of a Python model before it serves.

    trusted    its code may run here, as on the machine of whoever pushes it: a real Triton is asked all of eval.npz
    else       what its entry says. A build of the cluster has the store's keys and runs nothing of an author's; what
               was proved when the entry was pushed is proved again by the first replica's warm-up, before any traffic

Requests are run one by one, whole as clients send them. An author who wants rows of several clients run together writes
a config.pbtxt with max_batch_size.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from modelyard.api.entry import EntryMetadata
from modelyard.builder.evaluation.evaluate import judge, measured
from modelyard.builder.evaluation.evaluation_set import EVALUATION, Feed, Run, read_evaluation
from modelyard.builder.inspection.graph import Graph, Port
from modelyard.builder.triton.config import PYTHON_BACKEND, as_clients_see, configured, read_config
from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import TritonServer, running
from modelyard.builder.triton.smoke_test import infer
from modelyard.builder.triton.v2_http import encode
from modelyard.errors import UnsupportedModel

from .folder import CODE, ENVIRONMENT, MODEL
from .packing import PYTHON
from .requirements import REQUIREMENTS

_NAME = "model"
_ALONE = "requests are run one by one, for config.pbtxt names no max_batch_size"
_TOGETHER = "config.pbtxt says that rows of several requests may be run together"


@dataclass(frozen=True)
class PythonEvidence:
    """`findings` as `validation.gather` has them, with the declared tensors, and the arrays of one sample by key."""

    findings: dict[str, Any]
    sample: Feed


def gather(
    folder: Path,
    graph: Graph,
    metadata: EntryMetadata,
    config: str | None,
    *,
    trusted: bool,
    say: Callable[[str], None],
) -> PythonEvidence:
    """The evidence on the Python model whose served files and eval.npz lie in FOLDER; `config` is its config.pbtxt.

    Raises InvalidEntry or UnsupportedModel when it does not do what the entry says, HostFailure when the machine
    failed, and what `triton_home` raises.
    """
    evaluation = read_evaluation(folder / EVALUATION, graph)
    batchable = _batches(graph, config)
    by_row = evaluation.rows > 0 and all(port.dims and port.dims[0] is None for port in graph.inputs)
    feed = evaluation.row(0) if by_row else evaluation.inputs
    answer = {name: value[:1] if by_row else value for name, value in evaluation.outputs.items()}
    chance = () if metadata.deterministic else tuple(port.name for port in graph.outputs)
    held = replace(evaluation, outputs={}) if chance else evaluation
    quality = None
    if trusted:
        judged = judge(metadata.evaluation, folder / EVALUATION) if metadata.evaluation is not None else None
        home = triton_home(say, PYTHON)
        with tempfile.TemporaryDirectory(prefix="modelyard-python-") as scratch:
            text = configured(config, _NAME, graph.inputs, graph.outputs, batchable, PYTHON_BACKEND)
            repository = _repository(folder, text, Path(scratch))
            try:
                with running(home, repository, _NAME, Path(scratch, "triton.log")) as server:
                    run = _asked(server, graph, batchable)
                    accuracy = None if judged or chance else measured(folder / EVALUATION)
                    quality = held.compare(run, read_config(text).max_batch_size or None, judged, accuracy)
                    answer = run(feed)
            except UnsupportedModel as bad:
                raise _of_the_author(bad) from bad
    sample = {f"input:{name}": value for name, value in feed.items()}
    sample |= {f"output:{name}": value for name, value in answer.items()}
    return PythonEvidence(_findings(graph, batchable, chance, quality), sample)


def ports_of(findings: dict[str, Any]) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """The declared inputs and outputs in what `gather` found."""
    inputs, outputs = (
        tuple(Port(name, datatype, tuple(dims)) for name, datatype, dims in findings["declared"][kind])
        for kind in ("inputs", "outputs")
    )
    return inputs, outputs


def _findings(graph: Graph, batchable: bool, chance: Sequence[str], quality: dict[str, Any] | None) -> dict[str, Any]:
    declared = {
        kind: [[port.name, port.datatype, list(port.dims or ())] for port in ports]
        for kind, ports in (("inputs", graph.inputs), ("outputs", graph.outputs))
    }
    return {
        "declared": declared,
        "batchable": batchable,
        "reason": _TOGETHER if batchable else _ALONE,
        "outputShapes": {port.name: [dim if isinstance(dim, int) else -1 for dim in port.dims or ()]
                         for port in graph.outputs},
        "chance": sorted(chance),
        "quality": quality,
    }  # fmt: skip


def _batches(graph: Graph, config: str | None) -> bool:
    """Whether requests are run together: the author says so, and every tensor has a row for each."""
    asked = config is not None and read_config(config).max_batch_size > 0
    return asked and all(port.dims and port.dims[0] is None for port in (*graph.inputs, *graph.outputs))


def _repository(folder: Path, config: str, scratch: Path) -> Path:
    """A model repository around files that stay where they are."""
    version = scratch / "repository" / _NAME / "1"
    version.mkdir(parents=True)
    for name in (CODE, ENVIRONMENT):
        if (folder / name).exists():
            (version / name).symlink_to((folder / name).absolute())
    (version.parent / "config.pbtxt").write_text(config)
    return scratch / "repository"


def _asked(server: TritonServer, graph: Graph, batchable: bool) -> Run:
    """The model as clients ask it, answers in the shapes that the entry declares."""
    flat = {port.name for port in graph.outputs if batchable and len(port.dims or ()) == 1}

    def run(feed: Feed) -> Feed:
        answer = infer(server, _NAME, encode(as_clients_see(feed, batchable), binary_outputs=True))
        return {name: value.reshape(-1) if name in flat else value for name, value in answer.items()}

    return run


def _of_the_author(bad: UnsupportedModel) -> UnsupportedModel:
    """The same words with the remedy that helps with code."""
    words = str(bad).removesuffix(".").removesuffix("; export it again")
    return UnsupportedModel(f"{words}; correct {MODEL}, or {REQUIREMENTS}.")
