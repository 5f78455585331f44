"""How well a model does for groups of people that it was not told about: by sex, race and age band.

actual      share of the group that earns more than 50,000 dollars
positive    share of the group that the model says so of
accuracy    share of right answers
AUC         probability that a random richer person of the group is scored above a random other one; - when the
            group has no such pair
"""

from dataclasses import dataclass

import numpy as np
from adult import People
from sklearn.metrics import roc_auc_score

AGE_BANDS = {"under 25": 0, "25 to 39": 25, "40 to 59": 40, "60 and over": 60}
EVERYBODY = "everybody"


@dataclass(frozen=True)
class Slice:
    """A row of the table; `auc` is None where it has no value."""

    column: str
    value: str
    people: int
    actual: float
    positive: float
    accuracy: float
    auc: float | None


def slice_columns(people: People) -> dict[str, np.ndarray]:
    """The group [n] of each person, by name of the column: sex, race, age."""
    band = np.searchsorted(list(AGE_BANDS.values()), people.columns["age"], side="right") - 1
    return {"sex": people.named("sex"), "race": people.named("race"), "age": np.array([*AGE_BANDS])[band]}


def measured(columns: dict[str, np.ndarray], labels: np.ndarray, called: np.ndarray, score: np.ndarray) -> list[Slice]:
    """One row for everybody and one a group; `called` [n] is the class, `score` [n] the probability of class 1."""
    groups = [(EVERYBODY, "", np.ones(len(labels), dtype=bool))]
    for column, values in columns.items():
        known = list(AGE_BANDS) if column == "age" else sorted(set(values))
        groups += [(column, value, values == value) for value in known]
    return [_slice(column, value, labels[of], called[of], score[of]) for column, value, of in groups if of.any()]


def table(rows: list[Slice]) -> str:
    """The rows as Markdown."""
    lines = ["| slice | people | actual | positive | accuracy | AUC |", "|---|---|---|---|---|---|"]
    for row in rows:
        name = f"{row.column} {row.value}".strip()
        auc = "-" if row.auc is None else f"{row.auc:.3f}"
        lines.append(f"| {name} | {row.people} | {row.actual:.3f} | {row.positive:.3f} | {row.accuracy:.3f} | {auc} |")
    return "\n".join(lines)


def _slice(column: str, value: str, labels: np.ndarray, called: np.ndarray, score: np.ndarray) -> Slice:
    both = len(set(labels)) == 2
    return Slice(
        column=column,
        value=value,
        people=len(labels),
        actual=float(labels.mean()),
        positive=float(called.mean()),
        accuracy=float((called == labels).mean()),
        auc=float(roc_auc_score(labels, score)) if both else None,
    )
