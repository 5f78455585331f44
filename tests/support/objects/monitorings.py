"""`spec.monitoring` as people get it wrong: the monitoring, the field it is reported at, the sentence they read."""

from typing import Any

SHARE = 'write auto, or a percentage above 0% and up to 100%, such as "5%"'
DAYS = 'write a number of days from 1 to 9999, such as "30d"'
RATE = 'write how many false alarms are fine in which time (d, w, m, y), such as "1/y" or "2/m"'
ONCE = "write each name once, as `modelyard drift` shows it"
ALL = 'write "*" alone: it stands for every column that is not redacted'
BOTH = "a column is either kept as it is (columns) or as a hash (redact): take it out of one of the two"
NOTHING = "say which columns are kept: columns, redact or both"
SAMPLE = "log needs sample, which says how many requests are recorded: write sample: auto"
ANSWERS = "feedback needs log, which keeps the answers that labels are held against: write log: {columns: [...]}"
FIRST_ROWS = (
    "drift.reference is made of recorded rows: write log: {columns: [...]} with a retention of more days than firstDays"
)
RANGE = "min is above max: no value would be inside"
SOMETHING = "say something of the column: min, max or maxMissing"


def _log(**fields: Any) -> dict[str, Any]:
    return {"sample": "auto", "log": fields}


def _first_days(days: int, **log: Any) -> dict[str, Any]:
    return _log(**log) | {"drift": {"reference": {"firstDays": days}}}


def _column(**fields: Any) -> dict[str, Any]:
    return {"quality": {"columns": [{"name": "age", **fields}]}}


MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a sample of nothing": ({"sample": "0%"}, "sample", SHARE),
    "a sample without %": ({"sample": "5"}, "sample", SHARE),
    "a sample of more than all": ({"sample": "100.5%"}, "sample", SHARE),
    "a log of no request": ({"log": {"columns": ["age"]}}, "", SAMPLE),
    "a log of no column": (_log(retention="7d"), "log", NOTHING),
    "all columns and one more": (_log(columns=["*", "age"]), "log", ALL),
    "a column kept in two ways": (_log(columns=["age"], redact=["job", "age"]), "log", BOTH),
    "a column twice": (_log(columns=["age", "age"]), "log.columns", ONCE),
    "a retention without days": (_log(columns=["age"], retention="720h"), "log.retention", DAYS),
    "feedback on answers that are not kept": ({"sample": "auto", "feedback": {}}, "", ANSWERS),
    "decay every hour": (_log(columns=["*"]) | {"feedback": {"falseAlarms": "1/h"}}, "feedback.falseAlarms", RATE),
    "a slice twice": (_log(columns=["*"]) | {"feedback": {"slices": ["sex", "sex"]}}, "feedback.slices", ONCE),
    "false alarms an hour": ({"drift": {"falseAlarms": "1/h"}}, "drift.falseAlarms", RATE),
    "no false alarms": ({"drift": {"falseAlarms": "0/y"}}, "drift.falseAlarms", RATE),
    "a feature twice": ({"drift": {"features": ["age", "job", "age"]}}, "drift.features", ONCE),
    "a reference of rows that nobody keeps": (_first_days(7, redact=["name"]), "", FIRST_ROWS),
    "a reference of rows of no log": ({"sample": "auto", "drift": {"reference": {"firstDays": 7}}}, "", FIRST_ROWS),
    "a reference of rows that are deleted before": (_first_days(7, columns=["*"], retention="7d"), "", FIRST_ROWS),
    "a column of which nothing is said": (_column(), "quality.columns[0]", SOMETHING),
    "a range turned round": (_column(min=9, max=1), "quality.columns[0]", RANGE),
}

RIGHT: dict[str, dict[str, Any]] = {
    "monitoring by the defaults": {},
    "a sample of everything": {"sample": "100%"},
    "monitoring with everything": {
        "sample": "2.5%",
        "log": {"columns": ["*"], "redact": ["name", "address"], "retention": "9999d"},
        "drift": {"falseAlarms": "12/y", "features": [f"input[{at}]" for at in range(100)]},
        "quality": {
            "columns": [{"name": f"x{at}", "min": -0.5, "max": 2, "maxMissing": "0.1%"} for at in range(100)],
        },
    },
    "a reference of the first days": _first_days(29, columns=["*"]),
    "feedback by the defaults": _log(columns=["*"]) | {"feedback": {}},
    "feedback with everything": _log(columns=["*"])
    | {"feedback": {"output": "probabilities", "slices": ["sex", "age"], "falseAlarms": "2/m"}},
    "hashes alone": {"sample": "auto", "log": {"redact": ["name"]}},
}
