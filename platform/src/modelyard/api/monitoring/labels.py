"""What people send as feedback: which row of which request, and what was right.

| body of `POST /<namespace>/<model>/feedback` | |
|---|---|
| `{"requestId": "...", "label": 1}` | one row |
| `[{"requestId": "...", "row": 3, "label": "cat", "time": "2026-11-29T10:00:00Z"}, ...]` | up to MOST_LABELS |
| `{"requestId": "...", "labels": {"price": 3.5, "kind": "cat"}}` | of several outputs of one row |

All of a body is taken or nothing of it. A label is kept as text, whatever it was: `1`, `1.0` and `true` are one label.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, TypeAdapter, model_validator

from modelyard.api.shape import Shape

MOST_LABELS = 10_000
LONGEST_ID, LONGEST_LABEL, LONGEST_OUTPUT = 128, 256, 128
MOST_ROW = 1_000_000
AHEAD_SECONDS = 300.0
"""A time that is further in the future than this is a wrong clock's."""
_LARGEST = 1 << 63
_SAY_VALUE = "write a number, true, false or a text of up to 256 characters; leave out rows whose label is not known"
_SAY_WHICH = "write either label, or labels with one item for each output"
_SAY_NAME = "write outputs' names as the model has them"
_SAY_TIME = 'write seconds since 1970, or a time such as "2026-11-29T10:00:00Z"'


def label_text(value: object) -> str:
    """A label as it is kept. Raises ValueError for what is none: null, NaN, infinity, empty or unprintable text."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int | float):
        if not -_LARGEST < value < _LARGEST:
            raise ValueError(_SAY_VALUE)
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= LONGEST_LABEL or not text.isprintable():
        raise ValueError(_SAY_VALUE)
    return text


def output_name(name: str) -> str:
    """The name of an output that a label may speak of. Raises ValueError."""
    if not 0 < len(name) <= LONGEST_OUTPUT or not name.isprintable() or name.strip() != name:
        raise ValueError(_SAY_NAME)
    return name


def seconds_of(time: float | str) -> float:
    """A time in seconds since 1970; text is ISO 8601, UTC where it says no zone. Raises ValueError."""
    if isinstance(time, str):
        try:
            moment = datetime.fromisoformat(time)
        except ValueError as bad:
            raise ValueError(_SAY_TIME) from bad
        time = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    if not 0.0 <= time < _LARGEST:
        raise ValueError(_SAY_TIME)
    return float(time)


LabelValue = Annotated[StrictBool | StrictInt | StrictFloat | StrictStr, AfterValidator(label_text)]
OutputName = Annotated[StrictStr, AfterValidator(output_name)]
LabelTime = Annotated[StrictInt | StrictFloat | StrictStr, AfterValidator(seconds_of)]


class AnswerLabel(NamedTuple):
    """What is kept: `output` is empty for the only one that is judged; times are seconds since 1970.

    `time` is when the label was known, `told` when it came here.
    """

    request_id: str
    row: int
    output: str
    label: str
    time: float
    told: float


class GivenLabel(Shape):
    """One row, as it is sent."""

    request_id: StrictStr = Field(
        pattern=f"^[!-~]{{1,{LONGEST_ID}}}$", description="x-request-id, as the answer to the request had it."
    )
    row: StrictInt = Field(default=0, ge=0, le=MOST_ROW, description="Which row of the request, from 0.")
    label: LabelValue | None = Field(default=None, description="What was right.")
    labels: dict[OutputName, LabelValue] | None = Field(
        default=None, min_length=1, max_length=64, description="The same for each of several outputs."
    )
    time: LabelTime | None = Field(default=None, description="When it was known; now, when left out.")
    model: StrictStr = Field(default="", description="The Model that is meant; it has to be the one of the address.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "GivenLabel":
        if (self.label is None) == (self.labels is None):
            raise ValueError(_SAY_WHICH)
        return self

    def kept(self, told: float) -> Iterator[AnswerLabel]:
        """What is kept of it, when it came at `told`."""
        time = told if self.time is None else float(self.time)
        for output, label in ({"": self.label} if self.labels is None else self.labels).items():
            yield AnswerLabel(self.request_id, self.row, output, str(label), time, told)


_MANY = TypeAdapter(Annotated[list[GivenLabel], Field(min_length=1, max_length=MOST_LABELS)])


def given_labels(body: Any, model: str, told: float) -> Sequence[AnswerLabel]:
    """The labels of a body that was JSON, sent for `model` at `told` in seconds since 1970.

    Raises ValueError (pydantic's ValidationError is one) with words for whoever sent it.
    """
    given = _MANY.validate_python(body if isinstance(body, list) else [body])
    for at, one in enumerate(given):
        if one.model not in ("", model):
            raise ValueError(f"item {at} is a label for the Model {one.model}, and this is the address of {model}")
        if one.time is not None and float(one.time) > told + AHEAD_SECONDS:
            raise ValueError(f"item {at} was known in the future: a clock is wrong")
    return [label for one in given for label in one.kept(told)]
