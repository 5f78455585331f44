"""`feedback.json` of a candidate: its labelled answers beside those of its stable, as a rollout's gate reads them.

The evaluator writes it while a rollout with `spec.rollout.feedback` is under way. All answers since the rollout began
count that have a label; each request counts once, by the share of its rows that is wrong (of numbers: that is further
off than `event` says), so that rows of one request stand and fall together.

`units` are what evidence is made of, in the order in which labels came: each holds requests of both revisions that
were answered in the same minute, so whatever makes a minute hard makes it hard for both. Units of the same `group` are
parts of one minute. Nothing is ever put before what is there already, whenever labels come: what comes late is a unit
of its own at the end.
"""

from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from modelyard.api.shape import StatusShape

from .status import Moment

Requests = Annotated[int, Field(ge=0)]
Wrong = Annotated[float, Field(ge=0)]


class LabelledUnit(NamedTuple):
    """Requests of the candidate and of the stable, at least one each, and how many of them were answered wrong."""

    group: Annotated[int, Field(ge=0)]
    requests: Annotated[int, Field(ge=1)]
    wrong: Wrong
    stable_requests: Annotated[int, Field(ge=1)]
    stable_wrong: Wrong

    @property
    def difference(self) -> float:
        """The candidate's share of wrong answers less the stable's, -1..1."""
        return self.wrong / self.requests - self.stable_wrong / self.stable_requests


class LabelledComparison(StatusShape):
    """The content of one file."""

    stable: str = Field(max_length=63, description="The revision that held the traffic.")
    candidate: str = Field(max_length=63, description="The revision that was tried.")
    since: str = Field(max_length=32, description="When the rollout began, RFC 3339: answers from then on count.")
    time: Moment = Field(description="When labels were last gone through, RFC 3339.")
    output: str = Field(default="", max_length=128, description="The output that labels are of; empty without any.")
    event: str = Field(default="wrong", max_length=64, description="wrong, or error above a number.")
    learning: int = Field(
        default=0, ge=0, description="Labels of the stable that are needed before usual errors are known."
    )
    requests: Requests = Field(default=0, description="The candidate's labelled requests.")
    wrong: Wrong = Field(default=0.0, description="How many of them were answered wrong.")
    stable_requests: Requests = Field(default=0, description="The stable's labelled requests.")
    stable_wrong: Wrong = Field(default=0.0, description="How many of them were answered wrong.")
    units: tuple[LabelledUnit, ...] = Field(default=(), description="What evidence is made of, as labels came.")

    @model_validator(mode="after")
    def _shares(self) -> "LabelledComparison":
        if any(one.wrong > one.requests or one.stable_wrong > one.stable_requests for one in self.units):
            raise ValueError("no more requests are answered wrong than there are")
        return self
