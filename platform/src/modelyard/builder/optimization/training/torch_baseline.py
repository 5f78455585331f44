"""The network in torch itself, eager and compiled, among what is timed: what most people would otherwise serve.

`build.measure` starts this module as it starts its own probe; it goes on in the torch environment, where
`programs.reference` talks as the probe does. Before that the module's answers are held against those that the entry
expects: weights that are not those of model.onnx would make every comparison wrong.

    python -m modelyard.builder.optimization.training.torch_baseline time JOB
"""

import json
import os
import sys
from collections.abc import Callable

from modelyard.builder.evaluation.evaluation_set import close, largest_difference, read_arrays
from modelyard.builder.optimization.pass_api import Reference
from modelyard.errors import InvalidEntry

from . import environment, sidecar_client
from .training_run import TrainingRun

PROGRAM = "modelyard.builder.optimization.training.torch_baseline"
EAGER, COMPILED = "torch-eager", "torch-compile"
_RELATIVE, _ABSOLUTE = 0.01, 0.001


def references(course: TrainingRun, tell: Callable[[str], None]) -> tuple[Reference, ...]:
    """Eager and compiled; raises InvalidEntry when module and weights are not those of the entry's model.

    None when torch is in another container, because what is timed has to take its turns on the same cores.
    """
    folder = (course.folder / "reference").absolute()
    job = course.job(evaluation=str(course.evaluation.absolute()), out=str(folder), compiled=False)
    tell("asking the network in torch")
    asked = environment.run("answer", job, folder, tell)
    _same(course, read_arrays(folder / "answers.npz"))
    if sidecar_client.common() is not None:
        return ()
    found = []
    for name in (EAGER, COMPILED):
        path = folder / f"{name}.json"
        path.write_text(json.dumps({**job, "compiled": name == COMPILED}))
        found.append(Reference(name, path, PROGRAM, asked["seconds"], asked["peakMemory"]))
    return tuple(found)


def _same(course: TrainingRun, answers: dict[str, object]) -> None:
    expected = read_arrays(course.evaluation)
    for name, given in answers.items():
        wanted = expected[f"output:{name}"]
        if not close(given, wanted, _RELATIVE, _ABSOLUTE):
            raise InvalidEntry(
                f"the recipe's module with {course.recipe.weights} is not the network of model.onnx: output {name!r} "
                f"differs by up to {largest_difference(given, wanted):.3g}; export the model again from these weights."
            )


if __name__ == "__main__":
    command = environment.command(*sys.argv[1:])
    os.execv(command[0], command)  # noqa: S606  # the interpreter that was named, no shell
