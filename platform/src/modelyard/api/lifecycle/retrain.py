"""`spec.retrain`: when a new version is to be trained, by whom, and how often at most.

| field | meaning |
|---|---|
| when | what calls for it: decay (labelled answers are worse than the reference), drift (its rows moved), age |
| maxAge | how long a version may serve, with when: [age] |
| every | least time between the beginnings of two |
| budget | CPU time that its Jobs may reserve in a calendar month (UTC) |
| recipe | a function of the entry's training folder, run as a Job: what it makes is judged, pushed and challenges |
| webhook | an address that is told instead, and trains by itself |
| paused | nothing is begun, and what runs is ended |

Who trains is recipe or webhook: a Job of ours, or somebody who is told. The first field is not called `on`, which
YAML 1.1 takes for `true`, and with it kubectl and Helm.
"""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from modelyard.api.monitoring.spec import Days
from modelyard.api.quantity import Duration, Interval, seconds
from modelyard.api.shape import Shape, cel, validated

_ONCE = "self.all(i, self.filter(j, j == i).size() == 1)"
EVERY = "24h"
"""Least time between two when the spec says nothing."""
CHALLENGER = "challenger"
"""The alias that a retrained version gets; never another one."""
_RECIPE = "^[A-Za-z_][A-Za-z0-9_]*[.]py:[A-Za-z_][A-Za-z0-9_]*$"
_URL = (
    "^(https://[-.a-zA-Z0-9]+|http://[-a-z0-9]+([.][-a-z0-9]+)?[.]svc([.][-a-z0-9]+)*)(:[0-9]{1,5})?"
    "(/[-._~%!$&+,;=:@/a-zA-Z0-9]*)?([?][-._~%!$&+,;=:@/?a-zA-Z0-9]*)?$"
)
_NAME, _FIELD = "^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", "^[-._a-zA-Z0-9]+$"
_SAY_RECIPE = "write FILE.py:FUNCTION of the entry's training folder, such as retrain.py:retrain"
_SAY_URL = (
    "write an https address, or http of a Service in the cluster, such as http://trainer.ml.svc:8080/retrain; "
    "credentials go into secretRef"
)
_SAY_NAME = "write the name of a Secret, such as trainer"
_SAY_FIELD = "write the name of one of its fields, such as key"
_SAY_ONCE = "write each cause once, such as [decay, age]"
_SAY_ONE = "write either recipe or webhook, and only one of them"
_SAY_AGE = 'when: [age] and maxAge go together: write how long a version may serve, such as maxAge: "90d"'
_SAY_BUDGET = "budget is of our own Jobs, and with a webhook somebody else trains: take budget out"
_SAY_DECAY = "when: [decay] is told by labels: write monitoring: {sample: auto, log: {columns: [...]}, feedback: {}}"
_SAY_DRIFT = "when: [drift] is told by recorded rows: write monitoring: {sample: auto}"
_SAY_LABELS = "retrain.recipe learns from labelled rows: write monitoring: {sample: auto, log: {...}, feedback: {}}"
_SAY_SIGNED = (
    "source.verify wants an author's signature, which no Job of the platform can give: write retrain.webhook, and sign "
    "what is trained there"
)
_SAY_MLFLOW = "versions of source.registry mlflow are made in MLflow: write retrain.webhook, and register there"


def _matching(pattern: str, say: str) -> AfterValidator:
    """The validator of a text that has to match; `say` is what to write instead."""

    def matched(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(say)
        return text

    return AfterValidator(matched)


def _text(description: str, longest: int, pattern: str, say: str) -> WithJsonSchema:
    rule = dict(cel(f"self.matches('{pattern}')", say))
    return WithJsonSchema(
        {"type": "string", "maxLength": longest, "description": description, "x-kubernetes-validations": [rule]}
    )


RecipeName = Annotated[
    str, _matching(_RECIPE, _SAY_RECIPE), _text("FILE.py:FUNCTION of the training folder.", 128, _RECIPE, _SAY_RECIPE)
]
WebhookUrl = Annotated[str, _matching(_URL, _SAY_URL), _text("An address.", 1024, _URL, _SAY_URL)]


class RetrainCause(StrEnum):
    """What calls for a new version."""

    DECAY = "decay"
    DRIFT = "drift"
    AGE = "age"


class SecretKey(Shape):
    """One field of a Secret in the Model's namespace."""

    name: Annotated[str, _matching(_NAME, _SAY_NAME), _text("Name of the Secret.", 253, _NAME, _SAY_NAME)]
    key: Annotated[str, _matching(_FIELD, _SAY_FIELD), _text("Field of the Secret.", 253, _FIELD, _SAY_FIELD)]


class Webhook(Shape):
    """Who is told that a new version is wanted: a POST of a JSON object."""

    url: WebhookUrl = Field(description="https, or http of a Service in the cluster (NAME.NAMESPACE.svc).")
    secret_ref: SecretKey | None = Field(
        default=None, description="What the body is signed with: HMAC-SHA256 in the header x-modelyard-signature."
    )


class Retrain(Shape):
    """When and how a new version is trained."""

    model_config = validated(
        cel("has(self.recipe) != has(self.webhook)", _SAY_ONE),
        cel("has(self.maxAge) == ('age' in self.when)", _SAY_AGE),
        cel("!has(self.budget) || has(self.recipe)", _SAY_BUDGET),
    )

    when: Annotated[
        list[RetrainCause],
        Field(
            min_length=1,
            max_length=3,
            json_schema_extra={"x-kubernetes-validations": [dict(cel(_ONCE, _SAY_ONCE))]},
        ),
    ] = Field(description="What calls for a new version: decay, drift, age.")
    max_age: Days | None = Field(default=None, description="How long a version may serve; with when: [age].")
    every: Interval | None = Field(
        default=None, description=f"Least time between the beginnings of two, 1h or more; {EVERY} when left out."
    )
    budget: Duration | None = Field(
        default=None,
        description="CPU time that its Jobs may reserve in a calendar month (UTC), requested cores times hours, such "
        "as 20h; no limit when left out.",
    )
    recipe: RecipeName | None = Field(
        default=None,
        description="FILE.py:FUNCTION of the entry's training folder, run in the trainer's container on labelled rows.",
    )
    webhook: Webhook | None = Field(default=None, description="An address that is told, and trains by itself.")
    paused: bool | None = Field(default=None, description="true: nothing is begun, and what runs is ended.")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(set(self.when)) != len(self.when):
            raise ValueError(_SAY_ONCE)
        if (self.recipe is None) == (self.webhook is None):
            raise ValueError(_SAY_ONE)
        if (self.max_age is not None) != (RetrainCause.AGE in self.when):
            raise ValueError(_SAY_AGE)
        if self.budget is not None and self.recipe is None:
            raise ValueError(_SAY_BUDGET)
        return self

    @property
    def every_seconds(self) -> float:
        """`every` in seconds."""
        return seconds(self.every or EVERY)

    @property
    def budget_seconds(self) -> float | None:
        """`budget` in seconds of one core; None for no limit."""
        return None if self.budget is None else seconds(self.budget)

    @property
    def max_age_seconds(self) -> float | None:
        """`maxAge` in seconds."""
        return None if self.max_age is None else 86_400.0 * int(self.max_age.removesuffix("d"))


_RECORDED = "has(self.monitoring) && has(self.monitoring.sample)"
_LABELLED = "has(self.monitoring) && has(self.monitoring.feedback)"
RETRAIN_RULES = (
    cel(f"!has(self.retrain) || !('decay' in self.retrain.when) || ({_LABELLED})", _SAY_DECAY),
    cel(f"!has(self.retrain) || !('drift' in self.retrain.when) || ({_RECORDED})", _SAY_DRIFT),
    cel(f"!has(self.retrain) || !has(self.retrain.recipe) || ({_LABELLED})", _SAY_LABELS),
    cel("!has(self.retrain) || !has(self.retrain.recipe) || !has(self.source.verify)", _SAY_SIGNED),
    cel(
        "!has(self.retrain) || !has(self.retrain.recipe) || !has(self.source.registry) || "
        "self.source.registry != 'mlflow'",
        _SAY_MLFLOW,
    ),
)
"""What the rest of a spec has to be for its `retrain`, for the API server."""


def require_means(retrain: Retrain, *, recorded: bool, labelled: bool, verified: bool, mlflow: bool) -> None:
    """The same in Python; raises ValueError with what to write."""
    recipe = retrain.recipe is not None
    for refused, say in (
        (RetrainCause.DECAY in retrain.when and not labelled, _SAY_DECAY),
        (RetrainCause.DRIFT in retrain.when and not recorded, _SAY_DRIFT),
        (recipe and not labelled, _SAY_LABELS),
        (recipe and verified, _SAY_SIGNED),
        (recipe and mlflow, _SAY_MLFLOW),
    ):
        if refused:
            raise ValueError(say)
