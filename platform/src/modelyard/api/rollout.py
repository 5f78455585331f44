"""`spec.rollout`: how a new revision takes over, and what it has to prove on the way.

| strategy | what happens |
|---|---|
| Canary | weights rise step by step; each step ends when every gate passes |
| BlueGreen | the candidate comes up beside the stable, is previewed, and takes all traffic in one write |
| Shadow | a share of the requests is mirrored to the candidate; users never see its answers |
| AB | a fixed share of the users, each always the same side; ends with a report |
| Recreate | the old revision goes before the new one comes: an outage, for hardware that holds only one |
| Immediate | all traffic moves once the new revision answered a warm-up |

Fields that a strategy does not use are refused, so defaults live in methods and not in the schema: the API
server would write them into specs whose strategy does not know them.
"""

from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from .quantity import CommandId, Duration, HeaderName, LoadScenarioName, Percent, Weight, fraction, seconds
from .shape import Shape, cel, validated

DEFAULT_STEPS = (5, 25, 50)
DEFAULT_BAKE = "10m"
_SAY_RISING = "weights of steps must rise from one to the next: the last step to 100 comes by itself"
_SAY_AB = "strategy AB needs rollout.ab: write ab: {weight: 50, header: x-user-id} or name a cookie"
_SAY_SHADOW = "steps, bake and feedback are for the canary after a shadow: write shadow: {then: Canary} or remove them"
STEADY = "steady"
_SAY_STEADY = "requestsPerSecond and duration are for scenario steady: the others bring their own load"
_SAY_STICKY = "write either header: or cookie:, the one that names a user, and only one of them"


class Strategy(StrEnum):
    """How traffic moves from one revision to the next."""

    CANARY = "Canary"
    BLUE_GREEN = "BlueGreen"
    SHADOW = "Shadow"
    AB = "AB"
    RECREATE = "Recreate"
    IMMEDIATE = "Immediate"


class OnInconclusive(StrEnum):
    """What to do with a candidate about which `maxDuration` brought no decision."""

    ABORT = "Abort"
    HOLD = "Hold"
    PROMOTE = "Promote"


class Action(StrEnum):
    """What a person may tell a rollout."""

    PROMOTE = "promote"
    ABORT = "abort"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


_EVIDENCE = frozenset({Strategy.CANARY, Strategy.BLUE_GREEN, Strategy.SHADOW, Strategy.AB})
_GUARDED = frozenset({Strategy.CANARY, Strategy.BLUE_GREEN, Strategy.SHADOW})
FITS = {
    "steps": frozenset({Strategy.CANARY, Strategy.SHADOW}),
    "bake": _GUARDED,
    "max_duration": _EVIDENCE,
    "max_regression": _EVIDENCE,
    "abort_scale_down_delay": _EVIDENCE,
    "on_inconclusive": _GUARDED,
    "load_test": _EVIDENCE,
    "replay": _EVIDENCE,
    "feedback": frozenset({Strategy.CANARY, Strategy.SHADOW}),
    "preview": frozenset({Strategy.BLUE_GREEN}),
    "shadow": frozenset({Strategy.SHADOW}),
    "ab": frozenset({Strategy.AB}),
}
"""Field of `Rollout` -> the strategies that use it; `command` fits all."""


class Step(Shape):
    """One weight of a canary."""

    weight: Weight = Field(description="Share of the traffic for the candidate, in percent: 1 to 99.")
    hold: Duration | None = Field(default=None, description="The least time at this weight, however good it looks.")
    pause: bool = Field(default=False, description="Wait for the command resume or promote after the gates passed.")

    def hold_seconds(self) -> float:
        """`hold` in seconds; 0 when it is left out."""
        return seconds(self.hold) if self.hold else 0.0


class Preview(Shape):
    """Blue-green before the switch: the candidate answers at its preview host only."""

    hold: Duration | None = Field(default=None, description="The least time before the switch.")
    pause: bool = Field(default=False, description="Wait for the command resume or promote before the switch.")

    def hold_seconds(self) -> float:
        """`hold` in seconds; 0 when it is left out."""
        return seconds(self.hold) if self.hold else 0.0


class LoadTest(Shape):
    """Load put on the candidate through its pinned route, before it gets any user's request."""

    model_config = validated(
        cel(f"self.scenario == '{STEADY}' || !(has(self.requestsPerSecond) || has(self.duration))", _SAY_STEADY)
    )

    scenario: LoadScenarioName = Field(
        default=STEADY, description="steady, or the name of a load in the platform's settings: config.check.scenarios."
    )
    requests_per_second: float | None = Field(
        default=None,
        ge=0.1,
        le=10_000,
        description="Requests per second in all; left out: what one replica of the stable gets, per replica.",
    )
    duration: Duration | None = Field(default=None, description="How long; 60s when left out.")

    @model_validator(mode="after")
    def _steady_alone_is_measured_here(self) -> "LoadTest":
        if self.scenario != STEADY and (self.requests_per_second is not None or self.duration is not None):
            raise ValueError(_SAY_STEADY)
        return self

    def duration_seconds(self) -> float:
        """`duration` in seconds, 60 when it is left out."""
        return seconds(self.duration or "60s")


class Tolerance(Shape):
    """How far two outputs may lie apart and still agree: |a-b| <= absolute + relative * |a|."""

    absolute: float = Field(default=1e-3, ge=0, description="Absolute part.")
    relative: float = Field(default=1e-2, ge=0, description="Relative part, of the stable's value.")


class Replay(Shape):
    """What users asked lately, put to the candidate and the stable before the first user's request."""

    rows: int = Field(default=1000, ge=1, le=10_000, description="Recorded requests, the latest, at most.")
    max_disagreement: Percent | None = Field(
        default=None,
        description="Share of them that may be answered otherwise; left out: other outputs are shown, and only a "
        "candidate that fails what the stable answers, more often than slo.errorRate, is rolled back.",
    )
    tolerance: Tolerance = Field(default=Tolerance(), description="When two outputs agree.")

    def allowed_disagreement(self) -> float | None:
        """`maxDisagreement` as a fraction; None when it is left out, and outputs are not judged."""
        return fraction(self.max_disagreement) if self.max_disagreement else None


class FeedbackGate(Shape):
    """Labels that come while users are answered: is the candidate wrong more often than the stable?"""

    labels: int = Field(
        default=200, ge=1, le=1_000_000, description="Labelled requests of each revision before it may pass."
    )
    margin: Percent | None = Field(
        default=None,
        description='By how many of a hundred answers the candidate may be worse, such as "5%", which is the default; '
        "of numbers: how many more may be further off than half of the stable's are.",
    )

    def allowed(self) -> float:
        """`margin` as a fraction, 0.05 when it is left out."""
        return fraction(self.margin or "5%")


class Shadow(Shape):
    """Mirroring, and the comparison of outputs over requests both revisions are asked."""

    percent: int = Field(default=10, ge=1, le=100, description="Share of the requests that is mirrored.")
    duration: Duration | None = Field(default=None, description="How long at least; 10m when left out.")
    samples: int = Field(default=200, ge=1, le=10_000, description="Requests whose answers are compared in pairs.")
    max_disagreement: Percent | None = Field(
        default=None, description='Share of samples that may disagree, such as "1%", which is the default.'
    )
    tolerance: Tolerance = Field(default=Tolerance(), description="When two outputs agree.")
    then: Literal["Canary"] | None = Field(
        default=None, description="Canary: go on with a canary when nothing spoke against the candidate."
    )

    def duration_seconds(self) -> float:
        """`duration` in seconds, 600 when it is left out."""
        return seconds(self.duration or "10m")

    def allowed_disagreement(self) -> float:
        """`maxDisagreement` as a fraction, 0.01 when it is left out."""
        return fraction(self.max_disagreement or "1%")


class AB(Shape):
    """An A/B test: a share of the users gets the candidate, and each user always the same side."""

    model_config = validated(cel("has(self.header) != has(self.cookie)", _SAY_STICKY))

    weight: Weight = Field(default=50, description="Share of the users for the candidate, in percent: 1 to 99.")
    header: HeaderName | None = Field(default=None, description="Request header that names the user.")
    cookie: HeaderName | None = Field(default=None, description="Cookie that remembers the user's side.")
    duration: Duration | None = Field(
        default=None, description="How long; left out: until the command promote or abort."
    )

    @model_validator(mode="after")
    def _one_of_header_and_cookie(self) -> "AB":
        if (self.header is None) == (self.cookie is None):
            raise ValueError(_SAY_STICKY)
        return self

    def duration_seconds(self) -> float | None:
        """`duration` in seconds; None when it is left out, and a person ends the test."""
        return seconds(self.duration) if self.duration else None


class Command(Shape):
    """What a person tells the rollout under way; each id is carried out once."""

    id: CommandId = Field(description="Any new word, such as a time; an id that was carried out is ignored.")
    action: Action = Field(description="promote, abort, pause, resume or retry.")


def _unfit(field: str, strategies: frozenset[Strategy]) -> dict[str, str]:
    allowed = ", ".join(f"'{strategy}'" for strategy in sorted(strategies))
    return cel(f"!has(self.{to_camel(field)}) || self.strategy in [{allowed}]", _say_unfit(field))


def _say_unfit(field: str) -> str:
    *first, last = sorted(FITS[field])
    names = f"{', '.join(first)} or {last}" if first else last
    return f"rollout.{to_camel(field)} is for strategy {names}: remove it or change the strategy"


def _rules() -> list[dict[str, str]]:
    """The same as the validators say, with the same sentences."""
    apart = "self.steps.all(i, self.steps.filter(j, j.weight == i.weight).size() == 1)"
    rising = f"!has(self.steps) || ({apart} && self.steps.map(s, s.weight).isSorted())"
    follows = (
        "(has(self.shadow) && has(self.shadow.then)) || !(has(self.steps) || has(self.bake) || has(self.feedback))"
    )
    return [
        *(_unfit(field, strategies) for field, strategies in FITS.items()),
        cel("self.strategy != 'AB' || has(self.ab)", _SAY_AB),
        cel(f"self.strategy != 'Shadow' || {follows}", _SAY_SHADOW),
        cel(rising, _SAY_RISING),
    ]


class Rollout(Shape):
    """How a new revision takes over."""

    model_config = validated(*_rules())

    strategy: Strategy = Field(
        default=Strategy.CANARY, description="Canary, BlueGreen, Shadow, AB, Recreate or Immediate."
    )
    steps: Annotated[list[Step], Field(min_length=1, max_length=20)] | None = Field(
        default=None, description="Rising weights below 100; 5, 25 and 50 when left out."
    )
    bake: Duration | None = Field(
        default=None, description="Time at 100 % during which the old revision is kept; 10m when left out."
    )
    max_duration: Duration | None = Field(
        default=None, description="Time after which a rollout without a decision ends; 2h when left out."
    )
    max_regression: Percent | None = Field(
        default=None, description='How much worse than the stable the bad rate may be, such as "25%", the default.'
    )
    abort_scale_down_delay: Duration | None = Field(
        default=None, description="How long an aborted candidate is kept for inspection; 10m when left out."
    )
    on_inconclusive: OnInconclusive | None = Field(
        default=None, description="Abort (the default), Hold or Promote when maxDuration brought no decision."
    )
    load_test: LoadTest | None = Field(default=None, description="A load test before the first weight.")
    replay: Replay | None = Field(
        default=None, description="Recorded requests are put to it before the first weight; needs monitoring.log."
    )
    feedback: FeedbackGate | None = Field(
        default=None,
        description="Labelled answers of both revisions are compared at every step; needs monitoring.feedback.",
    )
    preview: Preview | None = Field(default=None, description="BlueGreen: what happens before the switch.")
    shadow: Shadow | None = Field(default=None, description="Shadow: what is mirrored and compared.")
    ab: AB | None = Field(default=None, description="AB: whom the candidate answers.")
    command: Command | None = Field(default=None, description="What a person tells the rollout under way.")

    @model_validator(mode="after")
    def _fits(self) -> "Rollout":
        for field, strategies in FITS.items():
            if getattr(self, field) is not None and self.strategy not in strategies:
                raise ValueError(_say_unfit(field))
        if self.strategy is Strategy.AB and self.ab is None:
            raise ValueError(_SAY_AB)
        follows = self.shadow is not None and self.shadow.then is not None
        if self.strategy is Strategy.SHADOW and not follows and (self.steps or self.bake or self.feedback):
            raise ValueError(_SAY_SHADOW)
        weights = self.weights()
        if any(later <= earlier for earlier, later in pairwise(weights)):
            raise ValueError(_SAY_RISING)
        return self

    def weights(self) -> tuple[int, ...]:
        """The candidate's weights in a canary, in percent and rising, without the 100 at the end."""
        return tuple(step.weight for step in self.steps) if self.steps else DEFAULT_STEPS

    def step(self, index: int) -> Step:
        """The step at an index of `weights`; one behind the last when steps were taken away meanwhile."""
        steps = self.steps or [Step(weight=weight) for weight in DEFAULT_STEPS]
        return steps[min(index, len(steps) - 1)]

    def bake_seconds(self) -> float:
        """`bake` in seconds, 600 when it is left out."""
        return seconds(self.bake or DEFAULT_BAKE)

    def max_seconds(self) -> float:
        """`maxDuration` in seconds, 7200 when it is left out."""
        return seconds(self.max_duration or "2h")

    def kept_seconds(self) -> float:
        """`abortScaleDownDelay` in seconds, 600 when it is left out: how long an aborted candidate is kept."""
        return seconds(self.abort_scale_down_delay or "10m")

    def regression(self) -> float:
        """`maxRegression` as a fraction (0.25 for 25 %, the default): how much worse than the stable is allowed."""
        return fraction(self.max_regression or "25%")

    def inconclusive(self) -> OnInconclusive:
        """`onInconclusive`, Abort when it is left out."""
        return self.on_inconclusive or OnInconclusive.ABORT
