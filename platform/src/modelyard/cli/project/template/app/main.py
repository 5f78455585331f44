"""A thin front for clients that want a form of named fields: it checks them, and asks the Model.

MODEL_URL         the gateway, with MODEL_NAMESPACE, and MODEL_DOMAIN where it is asked by host name; or one server
MODEL_NAME        census-income when it is not said
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from columns import CATEGORIES, INCOMES, NUMBERS, UNKNOWN
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from modelyard import Client
from modelyard.errors import DeadlineExceeded, OutsideError, UserError

NAME = os.environ.get("MODEL_NAME", "census-income")
CLIENT = Client(
    os.environ.get("MODEL_URL", "http://127.0.0.1:8000"),
    namespace=os.environ.get("MODEL_NAMESPACE", ""),
    domain=os.environ.get("MODEL_DOMAIN", ""),
)
app = FastAPI(title=NAME)


class Person(BaseModel):
    """What a census form says of somebody; a category that nobody noted down is `?`."""

    model_config = ConfigDict(extra="forbid")

    age: int = Field(examples=[39])
    education_num: int = Field(examples=[13], description="From 1, preschool, to 16, doctorate.")
    capital_gain: int = Field(default=0, examples=[2174])
    capital_loss: int = 0
    hours_per_week: int = Field(examples=[40])
    workclass: str = Field(examples=["State-gov"])
    marital_status: str = Field(examples=["Never-married"])
    occupation: str = Field(examples=["Adm-clerical"])
    relationship: str = Field(examples=["Not-in-family"])
    native_country: str = Field(examples=["United-States"])

    @field_validator(*NUMBERS)
    @classmethod
    def _in_range(cls, number: int, field: ValidationInfo) -> int:
        known = NUMBERS[field.field_name or ""]
        if number not in known:
            raise ValueError(f"write a number from {known[0]} to {known[-1]}")
        return number

    @field_validator(*CATEGORIES)
    @classmethod
    def _known(cls, category: str, field: ValidationInfo) -> str:
        known = (*CATEGORIES[field.field_name or ""], UNKNOWN)
        if category not in known:
            raise ValueError(f"write one of {', '.join(known)}")
        return category


class Income(BaseModel):
    """The likelier class, and how likely it is that the person earns more than 50,000 dollars."""

    income: Literal["<=50K", ">50K"]
    probability: Annotated[float, Field(ge=0, le=1)]


@app.get("/")
def index() -> dict[str, str]:
    """What this is, and where to go on."""
    return {"model": NAME, "ask": "POST /predict", "documentation": "/docs"}


@app.post("/predict")
def predict(person: Person) -> Income:
    """Whether somebody earns more than 50,000 dollars a year."""
    with told():
        [answer] = CLIENT.predict(NAME, [person.model_dump()])
    [label], [_, richer] = answer["label"], answer["probabilities"]
    return Income(income=INCOMES[label], probability=richer)


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong behind the front, in its own sentence and with a status that clients understand."""
    try:
        yield
    except UserError as bad:
        raise HTTPException(400, str(bad)) from bad
    except DeadlineExceeded as bad:
        raise HTTPException(504, str(bad)) from bad
    except OutsideError as bad:
        raise HTTPException(503, str(bad)) from bad
