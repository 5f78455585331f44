"""The data: what training and judging rely on, tried on what the stage `prepare` wrote."""

import pandas as pd
import pytest
from columns import CATEGORIES, EARNS_MORE, FEATURES, GROUPS, NUMBERS, UNKNOWN
from course import TEST, TRAIN, read_people

FILES = {"known": TRAIN, "held out": TEST}


@pytest.fixture(scope="module", params=FILES)
def people(request: pytest.FixtureRequest) -> pd.DataFrame:
    return read_people(FILES[request.param])


def test_every_column_is_there_and_none_besides(people: pd.DataFrame) -> None:
    assert [*people] == [*FEATURES, *GROUPS, EARNS_MORE]


@pytest.mark.parametrize("column", NUMBERS)
def test_numbers_make_sense(people: pd.DataFrame, column: str) -> None:
    assert people[column].between(NUMBERS[column][0], NUMBERS[column][-1]).all()


@pytest.mark.parametrize("column", [*CATEGORIES, *GROUPS])
def test_categories_are_known_ones(people: pd.DataFrame, column: str) -> None:
    known = {*CATEGORIES[column], UNKNOWN} if column in CATEGORIES else {*GROUPS[column]}

    assert set(people[column]) - known == set()


def test_both_classes_are_there_in_their_usual_shares(people: pd.DataFrame) -> None:
    assert set(people[EARNS_MORE]) == {0, 1}
    assert 0.15 < people[EARNS_MORE].mean() < 0.35


def test_there_are_enough_people_of_each_sex_to_judge_by(people: pd.DataFrame) -> None:
    assert people["sex"].value_counts().min() >= 500


def test_those_who_are_judged_by_are_like_those_who_are_learned_from() -> None:
    known, held_out = read_people(TRAIN), read_people(TEST)

    assert abs(known[EARNS_MORE].mean() - held_out[EARNS_MORE].mean()) < 0.03
    assert abs(known["age"].mean() - held_out["age"].mean()) < 1.5
