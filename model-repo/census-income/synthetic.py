"""Synthetic people with the columns of adult.data: drawn in the order below, each given what was drawn before.

    race -> sex                            age
    race -> native-country                 age -> education -> education-num
    sex, age -> marital-status -> relationship
    sex, education -> occupation -> workclass
    sex, age -> hours-per-week             nothing -> fnlwgt
    age, education-num, marital-status, occupation, hours-per-week -> income, by log odds
    income -> capital-gain, capital-loss

Shares are those of population.py, so single columns and the dependencies above look like the real file. Whatever
is not in the list does not depend: sex decides income only through the other columns, race not at all. An analysis
of these people says nothing about real ones. The same seed and the same numpy give the same people.
"""

from collections.abc import Mapping

import numpy as np
import population
from adult import COLUMNS, UNKNOWN, People
from population import Shares

SEED = 2026
KNOWN, HELD_OUT = 12_000, 4_000
"""How many people the committed versions have learnt from, of SEED, and how many others judge them, of SEED + 1."""
HOURS = (40, 50, 45, 60, 35, 20, 30, 55, 25, 48, 38, 15, 65, 70, 10)
HOURS_OF_MEN = (48.0, 11.5, 7.5, 8.0, 2.5, 2.5, 2.5, 3.5, 1.0, 2.5, 1.5, 0.6, 1.5, 2.5, 0.6)
HOURS_OF_WOMEN = (48.0, 6.0, 5.0, 3.0, 6.0, 6.0, 5.0, 1.0, 3.0, 1.0, 3.0, 2.0, 0.5, 0.7, 1.5)
GAINED, GAIN_MEDIAN = (0.042, 0.214), (3_300, 7_900)
"""Share of the people with a capital gain, and its median, by income class."""
LOST, LOSS_MEAN = (0.030, 0.098), (1_720, 1_900)
GAIN_ABOVE_ALL = 99_999
INCOME_OF_EVERYBODY = -2.27


def people(count: int, seed: int) -> People:
    """`count` people; the same for the same seed. Every value is one that the file format allows."""
    random = np.random.default_rng(seed)
    race = _drawn(random, population.RACE, count)
    male = random.random(count) * 100 < np.array([population.MALE_BY_RACE[one] for one in race])
    sex = np.where(male, "Male", "Female")
    age, band = _ages(random, count)
    education = _given(random, _lowest(age, population.EDUCATION_FROM_AGE), population.EDUCATION_FROM_AGE)
    schooling = np.array([population.EDUCATION_NUM[one] for one in education])
    marital, relationship = _families(random, sex, band)
    occupation = _occupations(random, sex, schooling)
    hours = _hours(random, male, age)
    richer = _incomes(random, age, schooling, marital, occupation, hours)
    gain, loss = _capital(random, richer)
    values: dict[str, np.ndarray] = {
        "age": age,
        "workclass": _given(random, occupation, population.WORKCLASS_BY_OCCUPATION),
        "fnlwgt": np.clip(random.lognormal(12.03, 0.53, count), 12_000, 1_500_000),
        "education": education,
        "education-num": schooling,
        "marital-status": marital,
        "occupation": occupation,
        "relationship": relationship,
        "race": race,
        "sex": sex,
        "capital-gain": gain,
        "capital-loss": loss,
        "hours-per-week": hours,
        "native-country": _given(random, race, population.COUNTRY_BY_RACE),
    }
    return People({name: _coded(name, values[name]) for name in COLUMNS}, richer.astype(np.int64))


def _ages(random: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Ages, and the lower end of the band that each is in; within a band every age is as likely."""
    band = _drawn(random, population.AGES, count)
    ends = dict(zip(population.AGES, [*list(population.AGES)[1:], population.OLDEST + 1], strict=True))
    room = np.array([ends[one] - one for one in band])
    part = random.random(count)
    part = np.where(band == max(population.AGES), part**2.5, part)  # the oldest are few
    return (band + part * room).astype(np.int64), band


def _families(random: np.random.Generator, sex: np.ndarray, band: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    marital = np.empty(len(sex), dtype=object)
    relationship = np.empty(len(sex), dtype=object)
    for one in ("Male", "Female"):
        these = sex == one
        marital[these] = _given(random, band[these], population.MARITAL_FROM_AGE[one])
        relationship[these] = _given(random, marital[these], population.RELATIONSHIP[one])
    return marital, relationship


def _occupations(random: np.random.Generator, sex: np.ndarray, schooling: np.ndarray) -> np.ndarray:
    found = np.empty(len(sex), dtype=object)
    level = _lowest(schooling, population.OCCUPATION_FROM_EDUCATION)
    for one, factors in (("Male", population.OCCUPATION_OF_MEN), ("Female", population.OCCUPATION_OF_WOMEN)):
        tables = {
            low: {name: share * factors[name] for name, share in shares.items()}
            for low, shares in population.OCCUPATION_FROM_EDUCATION.items()
        }
        found[sex == one] = _given(random, level[sex == one], tables)
    return found


def _hours(random: np.random.Generator, male: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Hours a week; the youngest and the oldest work fewer."""
    usual = np.empty(len(male), dtype=np.int64)
    for these, shares in ((male, HOURS_OF_MEN), (~male, HOURS_OF_WOMEN)):
        usual[these] = _drawn(random, dict(zip(HOURS, shares, strict=True)), int(these.sum()))
    short = ((age < 20) | (age >= 65)) & (random.random(len(age)) < 0.7)
    return np.where(short, np.maximum(usual * 6 // 10, 4), usual)


def _incomes(
    random: np.random.Generator,
    age: np.ndarray,
    schooling: np.ndarray,
    marital: np.ndarray,
    occupation: np.ndarray,
    hours: np.ndarray,
) -> np.ndarray:
    """Who earns more than 50,000 dollars: a draw from the logistic of a sum, so that no model can be always right."""
    odds = INCOME_OF_EVERYBODY + 0.33 * (schooling - 10) + 0.03 * np.clip(hours - 40, -30, 25)
    odds += np.where(np.isin(marital, population.MARRIED), 2.4, 0.0)
    odds -= 0.0023 * (np.minimum(age, 75) - 49.0) ** 2
    odds += np.array([population.INCOME_OF_OCCUPATION[one] for one in occupation])
    return random.random(len(age)) < 1 / (1 + np.exp(-1.3 * odds))


def _capital(random: np.random.Generator, richer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gains and losses in dollars; nobody has both, and a few gains are cut off at 99,999 as in the file."""
    kind, count = richer.astype(int), len(richer)
    chance = random.random(count)
    gained = chance < np.take(GAINED, kind)
    lost = ~gained & (chance > 1 - np.take(LOST, kind))
    gain = np.minimum(np.take(GAIN_MEDIAN, kind) * random.lognormal(0.0, 0.7, count), GAIN_ABOVE_ALL)
    gain = np.where(richer & (random.random(count) < 0.09), GAIN_ABOVE_ALL, gain)
    loss = np.clip(random.normal(np.take(LOSS_MEAN, kind), 320.0), 155, 4_356)
    return np.where(gained, gain, 0), np.where(lost, loss, 0)


def _drawn(random: np.random.Generator, shares: Mapping, count: int) -> np.ndarray:
    weights = np.array([*shares.values()], dtype=float)
    return np.array([*shares])[random.choice(len(shares), size=count, p=weights / weights.sum())]


def _given(random: np.random.Generator, known: np.ndarray, tables: Mapping[object, Shares]) -> np.ndarray:
    """One draw a person, each from the table for what is known of them."""
    found = np.empty(len(known), dtype=object)
    for one, shares in tables.items():
        these = known == one
        found[these] = _drawn(random, shares, int(these.sum()))
    return found


def _lowest(values: np.ndarray, tables: Mapping[int, object]) -> np.ndarray:
    """For each value the largest key of `tables` that is not above it."""
    keys = np.array(sorted(tables))
    return keys[np.searchsorted(keys, values, side="right") - 1]


def _coded(column: str, values: np.ndarray) -> np.ndarray:
    known = COLUMNS[column]
    if isinstance(known, range):
        return values.astype(np.int64)
    place = {name: number for number, name in enumerate(known)} | {"?": UNKNOWN}
    return np.array([place[one] for one in values], dtype=np.int64)
