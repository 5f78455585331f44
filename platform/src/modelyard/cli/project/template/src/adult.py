"""The real data, as the UCI repository has it: adult.data to learn from, adult.test to judge by.

39, State-gov, 77516, Bachelors, 13, Never-married, ..., United-States, <=50K      adult.data
|1x3 Cross validator                                                               adult.test, first line
25, Private, 226802, 11th, 7, Never-married, ..., United-States, <=50K.            adult.test
"""

import pandas as pd
from columns import CATEGORIES, EARNS_MORE, FEATURES, GROUPS, INCOMES, NUMBERS, UNKNOWN

IN_THE_FILE = (
    "age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race",
    "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income",
)  # fmt: skip
TOO_MANY = "a column too many"


def read_adult(source: str) -> pd.DataFrame:
    """Everybody in a file, named by path or URL: the columns FEATURES, GROUPS and EARNS_MORE.

    Raises ValueError at the first value that the format does not have, OSError when there is no such file.
    """
    table = pd.read_csv(
        source,
        names=[*IN_THE_FILE, TOO_MANY],
        index_col=False,
        dtype=str,
        comment="|",
        skipinitialspace=True,
        keep_default_na=False,
    ).fillna("")
    table["income"] = table["income"].str.removesuffix(".")
    for column, known in {**NUMBERS, **CATEGORIES, **GROUPS, "income": INCOMES, TOO_MANY: ("",)}.items():
        strange = table.index[~_understood(table[column], known, unknown=column in CATEGORIES)]
        if len(strange):
            found = table.at[strange[0], column]
            raise ValueError(f"{source}: {column} of person {strange[0] + 1} is {found!r}, which the format has not.")
    numbers = table[[*NUMBERS]].astype("int64")
    earns_more = (table["income"] == INCOMES[1]).astype("int64").rename(EARNS_MORE)
    return pd.concat([numbers, table[[*CATEGORIES, *GROUPS]], earns_more], axis=1)[[*FEATURES, *GROUPS, EARNS_MORE]]


def _understood(values: pd.Series, known: range | tuple[str, ...], unknown: bool) -> pd.Series:
    if isinstance(known, range):
        numbers = pd.to_numeric(values, errors="coerce")
        return numbers.between(known[0], known[-1]) & (numbers % 1 == 0)
    return values.isin([*known, UNKNOWN] if unknown else known)
