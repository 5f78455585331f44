"""Options that several verbs share, so that they read the same everywhere."""

from typing import Annotated

import typer

from .console import Output

Namespace = Annotated[
    str, typer.Option("--namespace", "-n", help="Namespace; that of the kubeconfig's context when left out.")
]
Shown = Annotated[Output, typer.Option("--output", "-o", help="table for people, json or yaml for scripts.")]
