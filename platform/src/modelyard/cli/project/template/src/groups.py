"""How the model does for groups of people that it was not told about, and whether it treats them alike.

    disparity    rate of a group / rate of the largest group of its column
    fair         tau <= disparity <= 1 / tau

of four rates: who is said to earn more (selection rate), and among those who do or do not, how many it says so of, or
misses. The ratio of a few people says little. So each comes with its 95 % interval (the logarithm of a ratio of shares
is about normal; half a person is added to every count), and with a verdict only where the interval lies on one side of
the bounds; else the answer is `too few`.
"""

import numpy as np
import pandas as pd
from columns import EARNS_MORE, GROUPS
from sklearn.metrics import roc_auc_score

AGES = {"under 25": 0, "25 to 39": 25, "40 to 59": 40, "60 and over": 60}
NORMAL_95 = 1.96


def group_columns(people: pd.DataFrame) -> pd.DataFrame:
    """The groups that people belong to, by column: sex, race, age."""
    bands = pd.cut(people["age"], [*AGES.values(), np.inf], right=False, labels=[*AGES])
    return people[[*GROUPS]].assign(age=bands.astype(str))


def slices(people: pd.DataFrame, called: np.ndarray, score: np.ndarray) -> pd.DataFrame:
    """A row for everybody and one for each group: how many earn more, and how well that is told."""
    told = people[[EARNS_MORE]].assign(called=called, score=score)
    groups = group_columns(people)
    rows = [_slice("everybody", told)]
    rows += [_slice(f"{column} {group}", told[groups[column] == group]) for column, group in _each(groups)]
    return pd.DataFrame(rows)


def disparities(people: pd.DataFrame, called: np.ndarray, tau: float) -> pd.DataFrame:
    """A row for each group but the largest of its column, and each rate."""
    groups, truth = group_columns(people)[[*GROUPS]], people[EARNS_MORE].to_numpy()
    rates = {
        "selection rate": (called == 1, np.ones(len(truth), bool)),
        "true positive rate": (called == 1, truth == 1),
        "false positive rate": (called == 1, truth == 0),
        "false negative rate": (called == 0, truth == 1),
    }
    rows = []
    for column, group in _each(groups):
        largest = groups[column].value_counts().idxmax()
        if group == largest:
            continue
        for rate, (hits, among) in rates.items():
            counts = [
                (int((hits & among & member).sum()), int((among & member).sum()))
                for member in (groups[column].to_numpy() == name for name in (group, largest))
            ]
            low, ratio, high = ratio_interval(*counts)
            rows.append(
                {
                    "group": f"{column} {group}",
                    "against": largest,
                    "rate": rate,
                    "ratio": ratio,
                    "from": low,
                    "to": high,
                    "verdict": verdict(low, high, tau),
                }
            )
    return pd.DataFrame(rows)


def ratio_interval(group: tuple[int, int], reference: tuple[int, int]) -> tuple[float, float, float]:
    """Lower end, ratio and upper end for two shares, each as (hits, of how many)."""
    (a, n), (b, m) = ((hits + 0.5, total + 0.5) for hits, total in (group, reference))
    spread = NORMAL_95 * np.sqrt(max(0.0, 1 / a - 1 / n + 1 / b - 1 / m))
    middle = np.log(a / n) - np.log(b / m)
    return float(np.exp(middle - spread)), float(np.exp(middle)), float(np.exp(middle + spread))


def verdict(low: float, high: float, tau: float) -> str:
    """What an interval of a disparity says."""
    if tau <= low and high <= 1 / tau:
        return "fair"
    return "unfair" if high < tau or low > 1 / tau else "too few"


def _slice(name: str, told: pd.DataFrame) -> dict[str, object]:
    truth, called = told[EARNS_MORE], told["called"]
    return {
        "slice": name,
        "people": len(told),
        "earn more": truth.mean(),
        "said to": called.mean(),
        "accuracy": (truth == called).mean(),
        "AUC": roc_auc_score(truth, told["score"]) if truth.nunique() == 2 else np.nan,
    }


def _each(groups: pd.DataFrame) -> list[tuple[str, str]]:
    """Column and group, by name; ages from the youngest."""

    def place(group: str) -> tuple[int, str]:
        return AGES.get(group, 0), group

    return [(column, group) for column in groups for group in sorted(groups[column].unique(), key=place)]
