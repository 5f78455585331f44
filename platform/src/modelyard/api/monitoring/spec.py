"""`spec.monitoring`: how rows that a Model is asked with are watched.

| field | meaning |
|---|---|
| sample | how many of the requests are recorded; none when it is left out |
| log | which columns of the recorded rows are kept, which as a hash, and for how long; none when it is left out |
| drift | when a changed distribution is an alarm, and of which features |
| quality | what a column may hold, where the author knows better than the reference |
| feedback | labels are taken, and quality is told by them; refused when it is left out |
| tracing | of how many requests the gateway sends a trace; of none when it is left out |

Recorded requests are counted whether their rows are kept or not: counts say nothing of anybody.
"""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from modelyard.api.quantity import Percent, fraction
from modelyard.api.shape import Shape, cel, validated

from .profile import MOST_FEATURES

AUTO = "auto"
ALL = "*"
LONGEST_NAME = 128
_RATE = "^[1-9][0-9]{0,2}/[dwmy]$"
_YEAR = {"d": 365.25, "w": 365.25 / 7.0, "m": 12.0, "y": 1.0}
_SAY_RATE = 'write how many false alarms are fine in which time (d, w, m, y), such as "1/y" or "2/m"'
_SHARE = "^(auto|[0-9]+([.][0-9]+)?%)$"
_DAYS = "^[1-9][0-9]{0,3}d$"
_SAY_SHARE = 'write auto, or a percentage above 0% and up to 100%, such as "5%"'
_SAY_DAYS = 'write a number of days from 1 to 9999, such as "30d"'
_SAY_ONCE = "write each name once, as `modelyard drift` shows it"
_SAY_ALL = 'write "*" alone: it stands for every column that is not redacted'
_SAY_BOTH = "a column is either kept as it is (columns) or as a hash (redact): take it out of one of the two"
_SAY_NOTHING = "say which columns are kept: columns, redact or both"
_SAY_SAMPLE = "log needs sample, which says how many requests are recorded: write sample: auto"
_SAY_ANSWERS = "feedback needs log, which keeps the answers that labels are held against: write log: {columns: [...]}"
_SAY_COLUMN_ONCE = "write each column once, with all that is said of it"
_SAY_RANGE = "min is above max: no value would be inside"
_SAY_SOMETHING = "say something of the column: min, max or maxMissing"
_SAY_FIRST_ROWS = (
    "drift.reference is made of recorded rows: write log: {columns: [...]} with a retention of more days than firstDays"
)
_ONCE = "self.all(i, self.filter(j, j == i).size() == 1)"


def _rate(text: str) -> str:
    if not re.fullmatch(_RATE, text):
        raise ValueError(_SAY_RATE)
    return text


def alarms_a_year(rate: str) -> float:
    """An `AlarmRate` as a number a year."""
    count, _, unit = rate.partition("/")
    return float(count) * _YEAR[unit]


AlarmRate = Annotated[
    str,
    AfterValidator(_rate),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 5,
            "description": 'A number of alarms in a day, week, month or year, such as "1/y".',
            "x-kubernetes-validations": [cel(f"self.matches('{_RATE}')", _SAY_RATE)],
        }
    ),
]


def _share(text: str) -> str:
    if not re.fullmatch(_SHARE, text) or not (text == AUTO or 0.0 < fraction(text) <= 1.0):
        raise ValueError(_SAY_SHARE)
    return text


SampleShare = Annotated[
    str,
    AfterValidator(_share),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 16,
            "description": "auto, or a percentage up to 100%.",
            "x-kubernetes-validations": [
                cel(
                    f"self.matches('{_SHARE}') && (self == 'auto' || (double(self.replace('%', '')) > 0.0 "
                    "&& double(self.replace('%', '')) <= 100.0))",
                    _SAY_SHARE,
                )
            ],
        }
    ),
]


def _days(text: str) -> str:
    if not re.fullmatch(_DAYS, text):
        raise ValueError(_SAY_DAYS)
    return text


Days = Annotated[
    str,
    AfterValidator(_days),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 5,
            "description": 'A number of days, such as "30d".',
            "x-kubernetes-validations": [cel(f"self.matches('{_DAYS}')", _SAY_DAYS)],
        }
    ),
]


def _each_once(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise ValueError(_SAY_ONCE)
    return names


FeatureNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]],
    Field(
        min_length=1,
        max_length=MOST_FEATURES,
        json_schema_extra={"x-kubernetes-validations": [dict(cel(_ONCE, _SAY_ONCE))]},
    ),
    AfterValidator(_each_once),
]


class Log(Shape):
    """Which columns of recorded rows are kept, and for how long."""

    model_config = validated(
        cel("has(self.columns) || has(self.redact)", _SAY_NOTHING),
        cel("!has(self.columns) || self.columns.size() == 1 || !('*' in self.columns)", _SAY_ALL),
        cel("!has(self.columns) || !has(self.redact) || !self.columns.exists(c, c in self.redact)", _SAY_BOTH),
    )

    columns: FeatureNames | None = Field(
        default=None, description='Columns that are kept as they are; ["*"] for all that are not redacted.'
    )
    redact: FeatureNames | None = Field(
        default=None, description="Columns of which only a keyed hash is kept, so that one value can still be found."
    )
    retention: Days = Field(default="30d", description="How long rows are kept; then their day is deleted.")

    @model_validator(mode="after")
    def _one_way_each(self) -> "Log":
        if self.columns is None and self.redact is None:
            raise ValueError(_SAY_NOTHING)
        kept, hashed = self.columns or [], self.redact or []
        if ALL in kept and len(kept) > 1:
            raise ValueError(_SAY_ALL)
        if set(kept) & set(hashed):
            raise ValueError(_SAY_BOTH)
        return self

    @property
    def retention_days(self) -> int:
        """`retention` in days."""
        return int(self.retention.removesuffix("d"))


class FirstDays(Shape):
    """A reference that is made of recorded rows, for builds that have none."""

    first_days: int = Field(
        ge=1, le=90, description="Days from a revision's first recorded row on; what they are like is usual then."
    )


class Drift(Shape):
    """When a changed distribution is an alarm."""

    false_alarms: AlarmRate = Field(
        default="1/y", description="How many alarms there may be while nothing changes, of all features together."
    )
    features: FeatureNames | None = Field(
        default=None, description="Features to watch, as `modelyard drift` names them; all when left out."
    )
    reference: FirstDays | None = Field(
        default=None, description="What is usual where the build has no reference; nothing is watched when left out."
    )

    @property
    def false_alarms_a_year(self) -> float:
        """`falseAlarms` as a number a year."""
        return alarms_a_year(self.false_alarms)


class ColumnQuality(Shape):
    """What one column may hold."""

    model_config = validated(
        cel("has(self.min) || has(self.max) || has(self.maxMissing)", _SAY_SOMETHING),
        cel("!has(self.min) || !has(self.max) || self.min <= self.max", _SAY_RANGE),
    )

    name: str = Field(min_length=1, max_length=LONGEST_NAME, description="The feature, as `modelyard drift` names it.")
    min: float | None = Field(default=None, description="Smallest value that is right; the reference's when left out.")
    max: float | None = Field(default=None, description="Largest value that is right; the reference's when left out.")
    max_missing: Percent | None = Field(
        default=None, description='Share of rows that may have no value, such as "2%"; as in the reference otherwise.'
    )

    @model_validator(mode="after")
    def _sensible(self) -> "ColumnQuality":
        if self.min is None and self.max is None and self.max_missing is None:
            raise ValueError(_SAY_SOMETHING)
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(_SAY_RANGE)
        return self

    @property
    def missing_share(self) -> float | None:
        """`maxMissing` as a fraction."""
        return None if self.max_missing is None else fraction(self.max_missing)


class DataQuality(Shape):
    """What columns may hold."""

    columns: Annotated[
        list[ColumnQuality],
        Field(
            min_length=1,
            max_length=MOST_FEATURES,
            json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        ),
    ] = Field(description="One item a column.")

    @model_validator(mode="after")
    def _columns_once(self) -> "DataQuality":
        if len({column.name for column in self.columns}) != len(self.columns):
            raise ValueError(_SAY_COLUMN_ONCE)
        return self


class Feedback(Shape):
    """Labels that come later, and what is told by them."""

    output: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)] | None = Field(
        default=None,
        description="The output that labels speak of; not needed when the model has one that can be judged.",
    )
    slices: FeatureNames | None = Field(
        default=None, description="Recorded columns by whose values quality is told, too, such as sex or region."
    )
    false_alarms: AlarmRate = Field(
        default="1/y", description="How many alarms of decay there may be while quality stays, of all slices together."
    )

    @property
    def false_alarms_a_year(self) -> float:
        """`falseAlarms` as a number a year."""
        return alarms_a_year(self.false_alarms)


class Tracing(Shape):
    """Traces of requests, for an OpenTelemetry collector."""

    percent: float = Field(
        ge=0, le=100, description="Share of the requests, in percent, of which the gateway sends a trace: 0 to 100."
    )


class Monitoring(Shape):
    """How the rows of a Model's requests are watched."""

    model_config = validated(
        cel("!has(self.log) || has(self.sample)", _SAY_SAMPLE),
        cel("!has(self.feedback) || has(self.log)", _SAY_ANSWERS),
        cel(
            "!has(self.drift) || !has(self.drift.reference) || (has(self.log) && has(self.log.columns) "
            "&& int(self.log.retention.replace('d', '')) > self.drift.reference.firstDays)",
            _SAY_FIRST_ROWS,
        ),
    )

    sample: SampleShare | None = Field(
        default=None,
        description="How many of the requests are recorded: auto, as many as the statistics need, or a share such as "
        '"5%"; none when left out.',
    )
    log: Log | None = Field(
        default=None, description="Which columns of recorded requests are kept; none when left out, only counts."
    )
    drift: Drift = Field(default=Drift(), description="When a changed distribution is an alarm.")
    quality: DataQuality | None = Field(
        default=None, description="What columns may hold, where that is known better than from the reference."
    )
    feedback: Feedback | None = Field(
        default=None, description="Labels are taken, and quality is told by them; refused when left out."
    )
    tracing: Tracing | None = Field(
        default=None,
        description="Traces of requests, changed without a restart; the platform's chart says where they go "
        "(gateway.tracing). None when left out.",
    )

    @model_validator(mode="after")
    def _log_of_a_sample(self) -> "Monitoring":
        if self.log is not None and self.sample is None:
            raise ValueError(_SAY_SAMPLE)
        if self.feedback is not None and self.log is None:
            raise ValueError(_SAY_ANSWERS)
        first, log = self.drift.reference, self.log
        if first is not None and (log is None or log.columns is None or log.retention_days <= first.first_days):
            raise ValueError(_SAY_FIRST_ROWS)
        return self

    @property
    def sample_share(self) -> float | None:
        """`sample` as a fraction; None for auto, and 0 when nothing is recorded."""
        if self.sample is None:
            return 0.0
        return None if self.sample == AUTO else fraction(self.sample)
