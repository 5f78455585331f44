"""Options that several verbs share, so that they read the same everywhere."""

from enum import StrEnum
from typing import Annotated

import typer


class Form(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace; that of the kubeconfig's context when left out.")
]
Output = Annotated[Form, typer.Option("--output", "-o", help="table for people, json or yaml for scripts.")]
