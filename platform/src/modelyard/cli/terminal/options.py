"""Options that several verbs share, so that they read the same everywhere."""

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


Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace; that of the kubeconfig's context when left out.")
]
Shown = Annotated[Output, typer.Option("--output", "-o", help="table for people, json or yaml for scripts.")]
