"""People who do not exist, to run the course without the real data; put your own source in their place.

    sex, age -> marital_status -> relationship           sex, education_num -> occupation -> workclass
    age, education_num, marital_status, occupation, hours_per_week -> income, by log odds -> capital_gain, capital_loss

Shares are roughly those of the real file; whatever is not in these lines does not depend. So income depends on sex only
through other columns, and on race not at all, and no analysis of them says anything about real people.
"""

import numpy as np
import pandas as pd
from columns import CATEGORIES, EARNS_MORE, FEATURES, GROUPS, UNKNOWN

SCHOOLING = {9: 32, 10: 23, 13: 16, 14: 6, 11: 4, 7: 4, 12: 3, 6: 3, 4: 2, 15: 2, 5: 1, 16: 1, 8: 1, 3: 1, 2: 1}
RACES = {"White": 85.4, "Black": 9.6, "Asian-Pac-Islander": 3.1, "Amer-Indian-Eskimo": 1.0, "Other": 0.9}
COUNTRIES = {"United-States": 89.6, "Mexico": 2.0, UNKNOWN: 1.8}
HOURS = {40: 47, 50: 9, 45: 6, 60: 5, 35: 4, 20: 4, 30: 4, 55: 2, 25: 2, 48: 2, 15: 1, 70: 1}
UNMARRIED = {"Divorced": 45, "Never-married": 35, "Widowed": 10, "Separated": 10}
LIVING_ALONE = {"Not-in-family": 45, "Own-child": 28, "Unmarried": 20, "Other-relative": 7}
OCCUPATIONS = {
    "Prof-specialty": (12.7, 1.1, 3), "Craft-repair": (12.6, 0.2, 0), "Exec-managerial": (12.5, 0.9, 2),
    "Adm-clerical": (11.6, 2.0, 0), "Sales": (11.2, 1.0, 0), "Other-service": (10.1, 1.7, -2),
    "Machine-op-inspct": (6.1, 0.8, -2), UNKNOWN: (5.7, 1.4, 0), "Transport-moving": (4.9, 0.2, -1),
    "Handlers-cleaners": (4.2, 0.4, -2), "Farming-fishing": (3.1, 0.2, -1), "Tech-support": (2.9, 1.1, 1),
    "Protective-serv": (2.0, 0.4, 0), "Priv-house-serv": (0.5, 2.6, -3),
}  # fmt: skip
"""Share in percent; how much likelier for women than for all; how much it pays and how much schooling it asks for."""


def synthetic_people(count: int, seed: int) -> pd.DataFrame:
    """`count` people with the columns that `adult.read_adult` gives; the same for the same seed and numpy."""
    random = np.random.default_rng(seed)
    age = np.clip(17 + random.gamma(2.3, 9.4, count), 17, 90).astype(int)
    man = random.random(count) < 0.67
    schooling = _drawn(random, SCHOOLING, count)
    married = random.random(count) < np.where(man, 0.61, 0.15) * np.clip((age - 17) / 14, 0, 1.25)
    single = np.where(age < 30, "Never-married", _drawn(random, UNMARRIED, count))
    occupation = _occupations(random, man, schooling)
    hours = np.where((age < 20) | (age > 65), 20, _drawn(random, HOURS, count))
    pay = np.array([OCCUPATIONS[name][2] for name in occupation])
    odds = -2.9 + 0.4 * (schooling - 10) + 0.03 * (hours - 40) + 2.9 * married + 0.35 * pay
    richer = random.random(count) < 1 / (1 + np.exp(0.003 * (np.minimum(age, 75) - 49) ** 2 - odds))
    chance, gained = random.random(count), random.lognormal(8.3, 0.8, count).clip(100, 99_999).astype(int)
    gains, losses = chance < np.where(richer, 0.21, 0.04), chance > np.where(richer, 0.9, 0.97)
    columns = {
        "age": age,
        "education_num": schooling,
        "capital_gain": np.where(gains, gained, 0),
        "capital_loss": np.where(losses, random.normal(1_800, 320, count).clip(155, 4_356).astype(int), 0),
        "hours_per_week": hours,
        "workclass": _employers(random, occupation),
        "marital_status": np.where(married, "Married-civ-spouse", single),
        "occupation": occupation,
        "relationship": np.where(married, np.where(man, "Husband", "Wife"), _drawn(random, LIVING_ALONE, count)),
        "native_country": _drawn(random, dict.fromkeys(CATEGORIES["native_country"], 0.17) | COUNTRIES, count),
        "sex": np.where(man, "Male", "Female"),
        "race": _drawn(random, RACES, count),
        EARNS_MORE: richer.astype(int),
    }
    return pd.DataFrame(columns)[[*FEATURES, *GROUPS, EARNS_MORE]]


def _occupations(random: np.random.Generator, man: np.ndarray, schooling: np.ndarray) -> np.ndarray:
    """Weights of all occupations for each person, and a draw by them."""
    share, for_women, asks = np.array([*OCCUPATIONS.values()]).T
    for_men = np.clip((1 - 0.33 * for_women) / 0.67, 0.05, None)
    weights = share * np.where(man[:, None], for_men, for_women) * np.exp(0.12 * asks * (schooling[:, None] - 10))
    reached = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
    return np.array([*OCCUPATIONS])[(random.random(len(man))[:, None] > reached).sum(axis=1)]


def _employers(random: np.random.Generator, occupation: np.ndarray) -> np.ndarray:
    shares = {"Private": 73, "Self-emp-not-inc": 8, "Local-gov": 7, "State-gov": 5, "Self-emp-inc": 4, "Federal-gov": 3}
    return np.where(occupation == UNKNOWN, UNKNOWN, _drawn(random, shares, len(occupation)))


def _drawn(random: np.random.Generator, shares: dict, count: int) -> np.ndarray:
    weights = np.array([*shares.values()], dtype=float)
    return random.choice([*shares], size=count, p=weights / weights.sum())
