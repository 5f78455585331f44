"""How good a model is on its evaluation set.

judge      holds it to the metric and the bound that `evaluation` in modelyard.yaml demands
measured   tells the accuracy of a classifier whose entry demands nothing, so that decay has something to be told from
"""

from pathlib import Path
from typing import Any

from modelyard.api.entry import Judgement
from modelyard.errors import InvalidEntry

from .evaluation_data import evaluation_of
from .evaluation_set import Judge, read_arrays, read_tensors
from .metrics import ACCURACY, LOWER_IS_BETTER, metric_for, quality, require_measurable


def judge(judgement: Judgement, path: Path) -> Judge:
    """A function from answers (arrays by output name) to {"metric", "value"}, for the eval.npz at `path`.

    The function raises InvalidEntry when the value misses `judgement.bound`; so does this one where eval.npz lacks what
    the metric needs.
    """
    evaluation, bound = evaluation_of(path.parent, judgement.metric), judgement.bound
    require_measurable(evaluation)
    lower = judgement.metric in LOWER_IS_BETTER

    def judged(answers: dict[str, Any]) -> dict[str, Any]:
        value = quality(evaluation, answers)
        reached = value <= bound if lower else value >= bound
        if not reached:
            allowed = f"at {'most' if lower else 'least'} {bound:.6g}"
            raise InvalidEntry(
                f"{judgement.metric} on eval.npz is {value:.6g} and modelyard.yaml asks for {allowed}; "
                "optimize again on this kind of machine, or change evaluation.bound."
            )
        return {"metric": judgement.metric, "value": value}

    return judged


def measured(path: Path) -> Judge | None:
    """A function from answers to {"metric": "accuracy", "value"}, for the eval.npz at `path`.

    None where it holds no labels that its expected outputs predict.
    """
    labels = read_arrays(path).get("labels")
    if labels is None or metric_for((), read_tensors(path, "output"), labels).name != ACCURACY:
        return None
    evaluation = evaluation_of(path.parent, ACCURACY)
    return lambda answers: {"metric": ACCURACY, "value": quality(evaluation, answers)}
