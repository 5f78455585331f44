"""The synthetic people: the same for a seed, lines of the real format, and alike in what matters."""

import numpy as np
import pytest

from tests.support.artifacts.census import ENTRY

import adult  # isort: skip  (beside the entry, found by the line above)
import population  # isort: skip
import synthetic  # isort: skip

PEOPLE = synthetic.people(20_000, seed=5)


def share(column: str, name: str) -> float:
    return float((PEOPLE.named(column) == name).mean())


def richer(these: np.ndarray) -> float:
    return float(PEOPLE.earns_more[these].mean())


def lines(count: int, seed: int) -> list[str]:
    return list(adult.lines_of(synthetic.people(count, seed)))


def test_a_seed_gives_the_same_people_again_and_another_seed_others() -> None:
    assert lines(300, seed=7) == lines(300, seed=7)
    assert lines(300, seed=7) != lines(300, seed=8)


def test_people_are_lines_that_the_loader_reads_back() -> None:
    again = adult.parse_adult(adult.lines_of(PEOPLE), str(ENTRY))

    assert list(again.columns) == list(adult.COLUMNS)
    for name, values in PEOPLE.columns.items():
        np.testing.assert_array_equal(again.columns[name], values, err_msg=name)
    np.testing.assert_array_equal(again.earns_more, PEOPLE.earns_more)


@pytest.mark.parametrize(
    ("column", "name", "of_the_real"),
    [
        ("sex", "Male", 0.669),
        ("race", "Black", 0.096),
        ("workclass", "Private", 0.697),
        ("workclass", "?", 0.056),
        ("education", "Bachelors", 0.164),
        ("marital-status", "Married-civ-spouse", 0.460),
        ("occupation", "Craft-repair", 0.126),
        ("relationship", "Own-child", 0.156),
        ("native-country", "United-States", 0.896),
    ],
)
def test_a_category_is_about_as_frequent_as_in_the_real_file(column: str, name: str, of_the_real: float) -> None:
    assert share(column, name) == pytest.approx(of_the_real, abs=0.02)


@pytest.mark.parametrize(
    ("column", "mean", "within"),
    [("age", 38.6, 1.0), ("education-num", 10.1, 0.2), ("hours-per-week", 40.4, 1.0), ("capital-loss", 87.3, 20.0)],
)
def test_a_number_has_about_the_mean_of_the_real_file(column: str, mean: float, within: float) -> None:
    assert PEOPLE.columns[column].mean() == pytest.approx(mean, abs=within)


def test_about_a_quarter_earns_more() -> None:
    assert richer(np.ones(len(PEOPLE), dtype=bool)) == pytest.approx(0.241, abs=0.015)


def test_income_depends_on_schooling_marriage_age_and_gains_as_in_the_real_file() -> None:
    schooling, age = PEOPLE.columns["education-num"], PEOPLE.columns["age"]
    married = np.isin(PEOPLE.named("marital-status"), population.MARRIED)

    assert richer(schooling < 9) < 0.1 < richer(schooling == 9) < richer(schooling == 13) < richer(schooling > 13)
    assert richer(~married) < 0.15 < 0.4 < richer(married)
    assert richer(age < 25) < 0.05 < 0.3 < richer((age >= 40) & (age < 60))
    assert richer(PEOPLE.columns["capital-gain"] > 0) > 0.5


def test_nobody_is_what_cannot_be() -> None:
    relationship, sex = PEOPLE.named("relationship"), PEOPLE.named("sex")
    occupation, workclass = PEOPLE.named("occupation"), PEOPLE.named("workclass")

    assert set(sex[relationship == "Husband"]) == {"Male"}
    assert set(sex[relationship == "Wife"]) == {"Female"}
    assert set(workclass[occupation == "?"]) <= {"?", "Never-worked"}
    assert set(occupation[workclass == "?"]) == {"?"}
    assert not ((PEOPLE.columns["capital-gain"] > 0) & (PEOPLE.columns["capital-loss"] > 0)).any()
    named = np.array([population.EDUCATION_NUM[one] for one in PEOPLE.named("education")])
    np.testing.assert_array_equal(PEOPLE.columns["education-num"], named)


def test_race_decides_nothing_that_the_other_columns_do_not() -> None:
    married = np.isin(PEOPLE.named("marital-status"), population.MARRIED)
    schooled = PEOPLE.columns["education-num"] == 9
    alike = [(PEOPLE.named("race") == race) & married & schooled for race in ("White", "Black")]

    assert richer(alike[0]) == pytest.approx(richer(alike[1]), abs=0.08)


@pytest.mark.parametrize("table", ["RACE", "EDUCATION_FROM_AGE", "COUNTRY_BY_RACE", "WORKCLASS_BY_OCCUPATION"])
def test_every_name_in_the_figures_is_a_category_of_the_format(table: str) -> None:
    known = {name for names in adult.COLUMNS.values() if isinstance(names, tuple) for name in names} | {"?"}
    figures = getattr(population, table)
    tables = figures.values() if isinstance(next(iter(figures.values())), dict) else [figures]

    assert {name for shares in tables for name in shares} <= known
