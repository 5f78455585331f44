"""What the gate `feedback` promises, simulated through the units the evaluator makes: seeds are fixed.

With MODELYARD_PROOF=1 each row is a thousand rollouts and a bound is asserted as it stands; by default a row fails when
its count would be a one in a thousand surprise at the bound.
"""

from statistics import median

import pytest
from scipy import stats

from modelyard.core.analysis.feedback.evidence import ALPHA, BETA
from tests.support.repository.proof import PROOF
from tests.support.traffic.labelled_answers import LabelledAnswers, LabelledEnd, many

MARGIN = 0.05
MINUTES = 180


def simulated(answers: LabelledAnswers, few: int = 40, minutes: int = MINUTES) -> list[LabelledEnd]:
    """The ends of rollouts, and a line for whoever wants the numbers (`pytest -s`)."""
    found = list(many(answers, MARGIN, minutes, 1000 if PROOF else few, 20))
    print(f"\n{answers}: {sum(one.failed for one in found)} failed, {sum(one.passed for one in found)} passed")
    return found


def rarely(count: int, runs: int, bound: float) -> bool:
    return count <= (bound * runs if PROOF else stats.binom.ppf(0.999, runs, bound))


NO_WORSE = {
    "equal": LabelledAnswers(40, 0.10, 0.10),
    "equal, and half of the time wrong": LabelledAnswers(40, 0.5, 0.5),
    "equal in hard minutes": LabelledAnswers(40, 0.10, 0.10, hard=0.2),
    "equal with few labels": LabelledAnswers(3, 0.10, 0.10, share=0.1),
    "as much worse as allowed": LabelledAnswers(40, 0.15, 0.10),
    "as much worse as allowed, in hard minutes": LabelledAnswers(40, 0.15, 0.10, hard=0.1),
    "as much worse as allowed, with few labels": LabelledAnswers(3, 0.15, 0.10, share=0.1),
    "as much worse as allowed, by minutes in which all is wrong": LabelledAnswers(40, 0.10, 0.10, bursts=0.05 / 0.9),
}


@pytest.mark.parametrize("answers", NO_WORSE.values(), ids=list(NO_WORSE))
def test_a_candidate_that_is_no_worse_than_allowed_fails_in_at_most_one_of_a_hundred_rollouts(
    answers: LabelledAnswers,
) -> None:
    found = simulated(answers)
    assert rarely(sum(one.failed for one in found), len(found), ALPHA)


@pytest.mark.parametrize("answers", [NO_WORSE[name] for name in NO_WORSE if name.startswith("as much worse")][:3])
def test_one_that_is_just_as_bad_as_may_be_passes_in_at_most_one_of_twenty(answers: LabelledAnswers) -> None:
    found = simulated(answers)
    assert rarely(sum(one.passed for one in found), len(found), BETA)


def test_one_that_is_worse_hardly_ever_passes() -> None:
    found = simulated(LabelledAnswers(40, 0.25, 0.10))
    assert not any(one.passed for one in found)


@pytest.mark.parametrize(("wrong", "labels"), [(0.30, 450), (0.50, 200), (1.0, 90)])
def test_one_that_is_worse_is_found_by_so_many_of_its_labels(wrong: float, labels: int) -> None:
    found = simulated(LabelledAnswers(20, wrong, 0.10), few=20)
    assert all(one.failed for one in found)
    assert median(one.requests for one in found) <= labels


@pytest.mark.parametrize(("stable_wrong", "labels"), [(0.02, 200), (0.10, 700)])
def test_one_that_is_like_the_stable_passes_by_so_many(stable_wrong: float, labels: int) -> None:
    found = simulated(LabelledAnswers(20, stable_wrong, stable_wrong), few=20)
    assert sum(one.passed for one in found) >= 0.9 * len(found)
    assert median(one.requests for one in found) <= labels
