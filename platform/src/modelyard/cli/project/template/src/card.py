"""The model card: what the model is for, what it was made of, how it does, and what it must not be used for."""

import pandas as pd

CARD_TEXT = """# {name}

Tells from a census form whether somebody earns more than 50,000 dollars a year.

* **In**: {features}. A category that it does not know counts as none.
* **Out**: `label` (0 for at most 50,000 dollars, 1 for more) and `probabilities`, one a class.
* **Made with**: scikit-learn, gradient boosting: {training}.

## Data

{data}. Sex and race are no inputs; the answers are judged by them.

## How it does on people it has not met

{figures}

{slices}

## Whether groups are treated alike

Rates of a group against those of the largest group. Alike is a ratio from {tau:g} to {most:g}; `too few` means that its
95 % interval lies on both sides of a bound, so that these people cannot tell.

{disparities}

## Limits

The world is that of 1994. Leaving sex and race out does not make a model fair: `relationship` says husband or wife.
Never to be used to decide about people.
"""


def table(rows: pd.DataFrame) -> str:
    """Rows as Markdown, shares with three digits."""
    shown = rows.map(lambda value: f"{value:.3f}" if isinstance(value, float) else str(value)).replace("nan", "-")
    lines = [[*rows.columns], ["---"] * len(rows.columns), *shown.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
