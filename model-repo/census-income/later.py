"""The same kind of people thirty years later, made up: what drift, decay and retraining are shown with.

Money is worth less: gains and losses are PRICES times as many dollars, so many lie beyond all that was seen before,
and 50,000 dollars are no longer much. And who earns them is another: crafts are short of people and are paid for it,
schooling matters less. So a model of the old people is wrong of many, and rows alone do not say so.

    age, hours, marital-status, occupation, schooling -> income, by log odds      gains, losses: as before, in new money

It says nothing about real people. The same seed and the same numpy give the same people.
"""

import numpy as np
import population
import synthetic
from adult import People

PRICES = 2.5
MOST_DOLLARS = {"capital-gain": 999_999, "capital-loss": 99_999}
INCOME_OF_EVERYBODY = 0.3
INCOME_OF_OCCUPATION = {
    "Craft-repair": 2.4, "Transport-moving": 2.0, "Farming-fishing": 2.0, "Machine-op-inspct": 1.6,
    "Handlers-cleaners": 1.2, "Protective-serv": 1.0, "Exec-managerial": -1.6, "Prof-specialty": -1.4,
    "Adm-clerical": -2.0, "Sales": -1.6, "Tech-support": -0.8,
}  # fmt: skip
"""Log odds more than of the other occupations."""


def people(count: int, seed: int) -> People:
    """`count` people; the same for the same seed. Every value is one that the file format allows."""
    before = synthetic.people(count, seed)
    columns = dict(before.columns)
    for name, most in MOST_DOLLARS.items():
        columns[name] = np.minimum(np.round(columns[name] * PRICES), most).astype(np.int64)
    richer = np.random.default_rng((seed, count)).random(count) < 1 / (1 + np.exp(-1.3 * _odds(before)))
    return People(columns, richer.astype(np.int64))


def _odds(before: People) -> np.ndarray:
    """Log odds of earning more than 50,000 dollars."""
    columns = before.columns
    odds = INCOME_OF_EVERYBODY + 0.05 * (columns["education-num"] - 10) + 0.02 * (columns["hours-per-week"] - 40)
    odds += np.where(np.isin(before.named("marital-status"), population.MARRIED), 0.6, 0.0)
    odds -= 0.001 * (np.minimum(columns["age"], 75) - 49.0) ** 2
    return odds + np.array([INCOME_OF_OCCUPATION.get(one, 0.0) for one in before.named("occupation")])
