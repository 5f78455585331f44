"""The network in torch itself, eager and compiled, among what is timed: what most people would otherwise serve.

`inference.benchmark` starts this module as it starts its own probe; it goes on in the torch environment, where
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


def references(training_run: TrainingRun, tell: Callable[[str], None]) -> tuple[Reference, ...]:
    """The network eager and compiled; raises InvalidEntry when module and weights are not those of model.onnx.

    No references when torch is in another container, because what is timed has to take its turns on the same cores.
    """
    folder = (training_run.folder / "reference").absolute()
    job = training_run.job(evaluation=str(training_run.evaluation.absolute()), out=str(folder), compiled=False)
    tell("asking the network in torch")
    answer = environment.run("answer", job, folder, tell)
    _same(training_run, read_arrays(folder / "answers.npz"))
    if sidecar_client.common() is not None:
        return ()
    torch_references = []
    for name in (EAGER, COMPILED):
        path = folder / f"{name}.json"
        path.write_text(json.dumps({**job, "compiled": name == COMPILED}))
        torch_references.append(Reference(name, path, PROGRAM, answer["seconds"], answer["peakMemory"]))
    return tuple(torch_references)


def _same(training_run: TrainingRun, answers: dict[str, object]) -> None:
    """Raises InvalidEntry when an answer is not close to the expected output of eval.npz."""
    expected = read_arrays(training_run.evaluation)
    for name, answer in answers.items():
        expected_output = expected[f"output:{name}"]
        if not close(answer, expected_output, _RELATIVE, _ABSOLUTE):
            difference = largest_difference(answer, expected_output)
            raise InvalidEntry(
                f"the recipe's module with {training_run.recipe.weights} is not the network of model.onnx: output "
                f"{name!r} differs by up to {difference:.3g}; export the model again from these weights."
            )


if __name__ == "__main__":
    command = environment.command(*sys.argv[1:])
    os.execv(command[0], command)  # noqa: S606  # the interpreter that was named, no shell
