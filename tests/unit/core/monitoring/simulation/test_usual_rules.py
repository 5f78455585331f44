"""The usual rules' statistics, against scipy."""

import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, chi2_contingency

from modelyard.core.monitoring.simulation.usual_rules import (
    RULES,
    chi_square,
    jensen_shannon,
    stability_index,
    survival,
)

BEFORE, AFTER = (400, 410, 390, 400), (90, 120, 100, 60)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 9, 10])
@pytest.mark.parametrize("statistic", [0.0, 0.5, 3.0, 20.0])
def test_the_tail_of_chi_square(degrees: int, statistic: float) -> None:
    assert survival(statistic, degrees) == pytest.approx(chi2.sf(statistic, degrees), abs=1e-12)


def test_the_two_sample_test_is_the_contingency_tables() -> None:
    assert chi_square(BEFORE, AFTER) == pytest.approx(chi2_contingency([BEFORE, AFTER], correction=False).pvalue)
    assert chi_square((5, 0), (7, 0)) == 1.0


def test_the_distance_is_jensen_and_shannons() -> None:
    assert jensen_shannon(BEFORE, AFTER) == pytest.approx(jensenshannon(BEFORE, AFTER, base=2))
    assert jensen_shannon((1, 0), (0, 1)) == pytest.approx(1.0)


def test_the_stability_index_of_a_known_pair() -> None:
    assert stability_index((50, 50), (25, 75)) == pytest.approx(0.27465, abs=1e-4)
    assert stability_index((1, 1), (0, 2)) < 5.0


def alarms(name: str, values: list[float], features: int = 4) -> list[int]:
    rule = next(rule for rule in RULES if rule.name.startswith(name))
    return rule.alarms(values, features, rule.minutes)


def test_each_rule_holds_its_statistic_to_its_number() -> None:
    assert alarms("chi2 p <", [0.04, 0.06, 0.01, 0.5]) == [0, 2]
    assert alarms("chi2, Benjamini", [0.04, 0.06, 0.01, 0.5]) == [2]
    assert alarms("chi2, Benjamini", [0.02, 0.02, 0.03, 0.5]) == [0, 1, 2]
    assert alarms("chi2, Benjamini", [0.3, 0.5]) == []
    assert alarms("chi2, Bonferroni", [0.05 / 4 / 2880 / 2, 0.001]) == [0]
    assert alarms("PSI", [0.09, 0.11]) == [1]
    assert alarms("half", [0.01, 0.02, 0.5, 0.5]) == [0, 1]
    assert alarms("half", [0.01, 0.2, 0.5, 0.5]) == []
