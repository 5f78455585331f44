"""One architecture of a search space: exported with random weights to be timed, or trained a little and scored."""

from collections.abc import Mapping
from typing import Any

from . import fit
from .prune_structured import parameters
from .train import Course, written


def drawn(course: Course, architectures: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A file for each, `path` below `out` and `parameters`; or `against`, why the module cannot be made that way."""
    found = []
    for place, architecture in enumerate(architectures):
        path = f"{place}/model.onnx"
        course.tell(f"exporting architecture {place + 1} of {len(architectures)}")
        found.append(_drawn(course, architecture, path))
    return found


def scored(course: Course, architecture: Mapping[str, Any], epochs: int) -> dict[str, Any]:
    """Its score after so many epochs of learning from the teacher, with the teacher's own (calibration rows)."""
    network = course.authored.network(architecture)
    name = "-".join(f"{key}{value}" for key, value in architecture.items())
    course.learn(network, name, fit.plan_of(course.recipe, epochs), lambda: None)
    rows = course.authored.calibration
    found = {"score": fit.score(network, rows), "teacher": fit.score(course.authored.teacher(), rows)}
    course.journal.metric(f"{name}/score", found["score"])
    return found


def _drawn(course: Course, architecture: Mapping[str, Any], path: str) -> dict[str, Any]:
    try:
        network = course.authored.network(architecture)
        written(network, course.authored.calibration.inputs, course.ports, course.out / path)
    except Exception as bad:  # noqa: BLE001 - the author's code, or torch's exporter
        return {"against": " ".join(str(bad).split())[:200]}
    return {"path": path, "parameters": parameters(network)}
