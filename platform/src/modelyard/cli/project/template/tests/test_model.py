"""The model: good enough to be pushed, and sensible where no figure tells."""

import json

import joblib
import numpy as np
import pandas as pd
import pytest
import yaml
from columns import EARNS_MORE, FEATURES, GROUPS
from course import CARD, DESCRIPTION, ESTIMATOR, METRICS, TEST, parameters, read_people
from groups import disparities, ratio_interval, verdict
from sklearn.pipeline import Pipeline


@pytest.fixture(scope="module")
def model() -> Pipeline:
    return joblib.load(ESTIMATOR)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return read_people(TEST)


@pytest.mark.parametrize("metric", ["accuracy", "roc_auc"])
def test_it_is_good_enough(metric: str) -> None:
    assert json.loads(METRICS.read_text())[metric] >= parameters()["bounds"][metric]


def test_it_is_better_than_always_saying_the_same(people: pd.DataFrame) -> None:
    most = max(people[EARNS_MORE].mean(), 1 - people[EARNS_MORE].mean())

    assert json.loads(METRICS.read_text())["accuracy"] > most + 0.02


def test_it_sees_no_group(model: Pipeline) -> None:
    assert set(model.feature_names_in_) & set(GROUPS) == set()


def test_nobody_is_poorer_for_more_schooling(model: Pipeline, people: pd.DataFrame) -> None:
    before = model.predict_proba(people[FEATURES])[:, 1]
    after = model.predict_proba(people[FEATURES].assign(education_num=16))[:, 1]

    assert after.mean() > before.mean()
    assert (after < before - 0.2).mean() < 0.02


def test_a_person_alone_gets_the_same_answer_as_among_others(model: Pipeline, people: pd.DataFrame) -> None:
    among = model.predict_proba(people[FEATURES].head(20))
    alone = [model.predict_proba(people[FEATURES].iloc[[place]])[0] for place in range(20)]

    np.testing.assert_allclose(among, alone)


def test_an_unheard_of_category_is_no_error(model: Pipeline, people: pd.DataFrame) -> None:
    strange = people[FEATURES].head(3).assign(occupation="Astronaut")

    assert np.isfinite(model.predict_proba(strange)).all()


def test_the_card_judges_every_group(people: pd.DataFrame) -> None:
    rows = disparities(people, people[EARNS_MORE].to_numpy(), tau=0.8)
    card = CARD.read_text()

    assert [group for group in rows["group"].unique() if f"| {group} |" not in card] == []


def test_the_entry_names_itself() -> None:
    described = yaml.safe_load(DESCRIPTION.read_text())

    assert described["name"] == parameters()["name"]
    assert len(described["version"]) == 10


@pytest.mark.parametrize(
    ("group", "reference", "says"),
    [
        ((500, 1000), (510, 1000), "fair"),
        ((100, 1000), (300, 1000), "unfair"),
        ((900, 1000), (300, 1000), "unfair"),
        ((3, 10), (300, 1000), "too few"),
        ((0, 5), (300, 1000), "too few"),
    ],
)
def test_a_ratio_is_judged_only_by_enough_people(group: tuple, reference: tuple, says: str) -> None:
    low, ratio, high = ratio_interval(group, reference)

    assert low < ratio < high
    assert verdict(low, high, tau=0.8) == says
