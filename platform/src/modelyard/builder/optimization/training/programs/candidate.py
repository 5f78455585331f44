"""One architecture of a search space: exported with random weights to be timed, or trained a little and scored."""

from collections.abc import Mapping
from typing import Any

from . import fit
from .prune_structured import parameters
from .train import TrainingJob, written


def drawn(job: TrainingJob, architectures: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Exports each architecture with random weights: {"path" below the job's out, "parameters"} for each.

    Or {"against": why the module cannot be made that way}.
    """
    results = []
    for place, architecture in enumerate(architectures):
        path = f"{place}/model.onnx"
        job.tell(f"exporting architecture {place + 1} of {len(architectures)}")
        results.append(_drawn(job, architecture, path))
    return results


def scored(job: TrainingJob, architecture: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """{"score", "teacher"}: its score on the calibration rows after `epochs` of learning, and the teacher's."""
    network = job.authored.network(architecture)
    name = "-".join(f"{key}{value}" for key, value in architecture.items())
    job.learn(network, name, fit.plan_of(job.recipe, epochs), lambda: None)
    rows = job.authored.calibration
    scores = {"score": fit.score(network, rows), "teacher": fit.score(job.authored.teacher(), rows)}
    job.journal.metric(f"{name}/score", scores["score"])
    return scores


def _drawn(job: TrainingJob, architecture: Mapping[str, Any], path: str) -> dict[str, Any]:
    try:
        network = job.authored.network(architecture)
        written(network, job.authored.calibration.inputs, job.ports, job.out / path)
    except Exception as bad:  # noqa: BLE001 - the author's code, or torch's exporter
        return {"against": " ".join(str(bad).split())[:200]}
    return {"path": path, "parameters": parameters(network)}
