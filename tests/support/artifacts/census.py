"""The modules beside the census-income entry, and lines of its file format written by hand."""

import sys
from pathlib import Path

ENTRY = Path(__file__).resolve().parents[3] / "model-repo" / "census-income"
if str(ENTRY) not in sys.path:
    sys.path.insert(0, str(ENTRY))

CLERK = (
    "39, State-gov, 77516, Bachelors, 13, Never-married, Adm-clerical, Not-in-family, White, Male, 2174, 0, 40, "
    "United-States, <=50K"
)
UNKNOWN_WORK = (
    "54, ?, 180211, Some-college, 10, Married-civ-spouse, ?, Husband, Asian-Pac-Islander, Male, 0, 0, 60, South, >50K"
)


def changed(line: str, column: int, text: str) -> str:
    """A line with another value in a column, counted from 1."""
    fields = line.split(", ")
    fields[column - 1] = text
    return ", ".join(fields)
