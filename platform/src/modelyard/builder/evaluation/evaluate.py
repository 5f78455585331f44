"""A model held to a metric on its evaluation set: what `evaluation` in modelyard.yaml demands."""

from pathlib import Path
from typing import Any

from modelyard.api.entry import Judgement
from modelyard.errors import InvalidEntry

from .evaluation_data import evaluation_of
from .evaluation_set import Judge
from .metrics import LOWER_IS_BETTER, quality


def judge(judgement: Judgement, path: Path) -> Judge:
    """A function from answers (arrays by output name) to {"metric", "value"}, for the eval.npz at `path`.

    The function raises InvalidEntry when the value misses `judgement.bound`.
    """
    evaluation, bound = evaluation_of(path.parent, judgement.metric), judgement.bound
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
