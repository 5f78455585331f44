"""The file format of the UCI "Adult" data (Census Income, 1994): adult.data and adult.test.

    39, State-gov, 77516, Bachelors, 13, Never-married, ..., United-States, <=50K      adult.data
    |1x3 Cross validator                                                               adult.test, first line
    25, Private, 226802, 11th, 7, Never-married, ..., United-States, <=50K.            adult.test

One person a line: 14 columns and the income class, comma separated with a space after each comma; `?` where the
person's category is unknown. Class names end with a dot in adult.test. Blank lines and lines with `|` hold nobody.
In memory every column is int64: numbers as they are, categories by their place in the tuples below, unknown as -1.
"""

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shown

import numpy as np

UNKNOWN = -1
CLASSES = ("<=50K", ">50K")
CLASS = "income"
Column = tuple[str, ...] | range
"""The names of a column's categories, or the numbers that make sense in it."""

COLUMNS: dict[str, Column] = {
    "age": range(131),
    "workclass": (
        "Private", "Self-emp-not-inc", "Self-emp-inc", "Federal-gov", "Local-gov", "State-gov", "Without-pay",
        "Never-worked",
    ),
    "fnlwgt": range(10_000_000),
    "education": (
        "Bachelors", "Some-college", "11th", "HS-grad", "Prof-school", "Assoc-acdm", "Assoc-voc", "9th", "7th-8th",
        "12th", "Masters", "1st-4th", "10th", "Doctorate", "5th-6th", "Preschool",
    ),
    "education-num": range(1, 17),
    "marital-status": (
        "Married-civ-spouse", "Divorced", "Never-married", "Separated", "Widowed", "Married-spouse-absent",
        "Married-AF-spouse",
    ),
    "occupation": (
        "Tech-support", "Craft-repair", "Other-service", "Sales", "Exec-managerial", "Prof-specialty",
        "Handlers-cleaners", "Machine-op-inspct", "Adm-clerical", "Farming-fishing", "Transport-moving",
        "Priv-house-serv", "Protective-serv", "Armed-Forces",
    ),
    "relationship": ("Wife", "Own-child", "Husband", "Not-in-family", "Other-relative", "Unmarried"),
    "race": ("White", "Asian-Pac-Islander", "Amer-Indian-Eskimo", "Other", "Black"),
    "sex": ("Female", "Male"),
    "capital-gain": range(1_000_000),
    "capital-loss": range(1_000_000),
    "hours-per-week": range(169),
    "native-country": (
        "United-States", "Cambodia", "England", "Puerto-Rico", "Canada", "Germany", "Outlying-US(Guam-USVI-etc)",
        "India", "Japan", "Greece", "South", "China", "Cuba", "Iran", "Honduras", "Philippines", "Italy", "Poland",
        "Jamaica", "Vietnam", "Mexico", "Portugal", "Ireland", "France", "Dominican-Republic", "Laos", "Ecuador",
        "Taiwan", "Haiti", "Columbia", "Hungary", "Guatemala", "Nicaragua", "Scotland", "Thailand", "Yugoslavia",
        "El-Salvador", "Trinadad&Tobago", "Peru", "Hong", "Holand-Netherlands",
    ),
}  # fmt: skip
"""All 14 in the file's order, spelled as the file spells them."""


class NotAdult(ValueError):
    """A file that is not in the format; the message names file, line and column, and says what would be right."""


@dataclass(frozen=True)
class People:
    """`columns`: int64 [n] by the names of COLUMNS; `earns_more`: int64 [n], 1 for more than 50,000 dollars a year."""

    columns: dict[str, np.ndarray]
    earns_more: np.ndarray

    def __len__(self) -> int:
        return len(self.earns_more)

    def named(self, column: str) -> np.ndarray:
        """Category names [n] of a column, `?` where unknown."""
        names = COLUMNS[column]
        assert isinstance(names, tuple)
        return np.array([*names, "?"])[self.columns[column]]  # -1 is the last


def read_adult(path: Path) -> People:
    """Everybody in a file; raises NotAdult at the first mistake, OSError when the file cannot be opened."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as bad:
        raise NotAdult(f"{path.name} is no text (byte {bad.start}); unpack it first if it is an archive.") from bad
    return parse_adult(text.splitlines(), path.name)


def parse_adult(lines: Iterable[str], name: str) -> People:
    """Everybody in `lines`; `name` is what errors call the file. Raises NotAdult at the first mistake."""
    rows = [_row(line, f"{name}, line {number}") for number, line in _of_people(lines)]
    if not rows:
        raise NotAdult(f"{name} describes nobody; it needs a line of {len(COLUMNS)} columns and a class for each.")
    table = np.array(rows, dtype=np.int64)
    return People({column: table[:, place] for place, column in enumerate(COLUMNS)}, table[:, -1])


def lines_of(people: People, dotted: bool = False) -> Iterator[str]:
    """The lines of a file that reads as `people`; `dotted` as in adult.test."""
    written = [
        people.named(name) if isinstance(known, tuple) else people.columns[name].astype(str)
        for name, known in COLUMNS.items()
    ]
    for *values, richer in zip(*written, people.earns_more, strict=True):
        yield ", ".join([*values, CLASSES[richer] + ("." if dotted else "")])


def _of_people(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("|"):
            yield number, line


def _row(line: str, where: str) -> list[int]:
    fields = [field.strip() for field in line.split(",")]
    names = [*COLUMNS, CLASS]
    if len(fields) != len(names):
        many = f"{len(fields)} column{'s' if len(fields) > 1 else ''}"
        raise NotAdult(f"{where} has {many}; the format has {len(names)}: {', '.join(names)}.")
    if fields[0] == next(iter(COLUMNS)):
        raise NotAdult(f"{where} names the columns, which the format does not; take that line out.")
    row = []
    for place, ((column, known), field) in enumerate(zip(COLUMNS.items(), fields, strict=False), 1):
        at = f"{where}, column {place} ({column})"
        row.append(_category(field, known, at) if isinstance(known, tuple) else _number(field, known, at))
    return [*row, _class(fields[-1], f"{where}, column {len(fields)} ({CLASS})")]


def _number(field: str, known: range, at: str) -> int:
    if field == "?":
        raise NotAdult(f"{at} is unknown (?), which only a category may be; leave the line out.")
    if not (field.isascii() and field.isdigit()) or len(field) > 9:
        raise NotAdult(f"{at} is {shown(field)}; write a whole number from {known[0]} to {known[-1]}.")
    if int(field) not in known:
        raise NotAdult(f"{at} is {field}; it goes from {known[0]} to {known[-1]}.")
    return int(field)


def _category(field: str, known: tuple[str, ...], at: str) -> int:
    if field == "?":
        return UNKNOWN
    if field not in known:
        raise NotAdult(f"{at} is {shown(field)}, which the format does not have; {_instead(field, known)}")
    return known.index(field)


def _class(field: str, at: str) -> int:
    income = field.removesuffix(".")
    if income not in CLASSES:
        raise NotAdult(f"{at} is {shown(field)}; write {' or '.join(CLASSES)}, with or without a dot behind it.")
    return CLASSES.index(income)


def _instead(field: str, known: tuple[str, ...]) -> str:
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(field.casefold(), folded, n=1)
    return f"did you mean {folded[near[0]]!r}?" if near else f"it has {', '.join(known)}."
