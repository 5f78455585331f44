"""Options that several verbs share, so that they read the same everywhere."""

import re
from pathlib import Path
from typing import Annotated

import typer

from .console import Output


def span(text: str | float) -> float:
    """`30m` or `1h30m` in seconds; BadParameter when it is no duration."""
    if not isinstance(text, str):
        return text
    from pydantic import TypeAdapter, ValidationError

    from modelyard.api.quantity import Duration, seconds

    try:
        return seconds(TypeAdapter(Duration).validate_python(text))
    except ValidationError:
        raise typer.BadParameter(f'{text!r} is no duration: write 90s, 30m or "1h30m".') from None


def fraction(text: str | float) -> float:
    """`1%` or `0.01` as 0.01; BadParameter when it is not between 0 and 1."""
    if not isinstance(text, str):
        return text
    match = re.fullmatch(r"([0-9]*\.?[0-9]+(?:e-?[0-9]+)?)\s*(%?)", text.strip(), re.IGNORECASE)
    value = float(match[1]) / (100.0 if match[2] else 1.0) if match else -1.0
    if not 0.0 <= value <= 1.0:
        raise typer.BadParameter(f"{text!r} is not a fraction: write 1% or 0.01.")
    return value


Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace; that of the kubeconfig's context when left out.")
]
Shown = Annotated[Output, typer.Option("--output", "-o", help="table for people, json or yaml for scripts.")]
Sample = Annotated[
    Path | None,
    typer.Option(help="For what is converted: rows to prove it on, .csv, .parquet or .npz; they are not kept."),
]
TrustPickle = Annotated[
    bool, typer.Option("--trust-pickle", help="Read what may run code: .joblib, .pkl, .pt2, .keras, SavedModels.")
]
TrustCode = Annotated[bool, typer.Option("--trust-code", help="Run a Python model: its author's code and packages.")]
