"""What a tracker does, and which one is meant."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

TRACK, MLFLOW_URI = "MODELYARD_TRACK", "MLFLOW_TRACKING_URI"
NONE, MLFLOW, WANDB, TENSORBOARD = "none", "mlflow", "wandb", "tensorboard"
KINDS = (NONE, MLFLOW, WANDB, TENSORBOARD)
PROJECT = "modelyard"
"""The experiment or project of ours, where nobody names another."""


class Tracker(Protocol):
    """A run that is being written; methods raise whatever the tracker's package does."""

    @property
    def run(self) -> str:
        """By which name a later process goes on with it."""
        ...

    def params(self, values: Mapping[str, str]) -> None:
        """What it is trained with, by path."""
        ...

    def metric(self, name: str, value: float, step: int) -> None:
        """One figure of one epoch."""
        ...

    def text(self, name: str, value: str) -> None:
        """A fact that is no figure, such as the digest of what came out."""
        ...

    def close(self, failed: bool) -> None:
        """Nothing more is written."""
        ...


def chosen(asked: str, surroundings: Mapping[str, str] = os.environ) -> str:
    """One of KINDS; `asked` goes before the environment. ValueError with what to write for any other word."""
    named = asked or surroundings.get(TRACK) or (MLFLOW if surroundings.get(MLFLOW_URI) else NONE)
    if named not in KINDS:
        raise ValueError(f"{TRACK} is {named!r}, which is no tracker: write one of {', '.join(KINDS)}")
    if named == MLFLOW and not surroundings.get(MLFLOW_URI):
        raise ValueError(f"{MLFLOW_URI} names no server to log to; set it, or another tracker")
    return named


def opened(kind: str, name: str, run: str) -> Tracker:
    """A new run called `name`, or `run` to go on with. Raises what the tracker does, which may be anything."""
    if kind == MLFLOW:
        from .mlflow_tracker import MlflowTracker

        return MlflowTracker(name, run)
    if kind == WANDB:
        from .wandb_tracker import WandbTracker

        return WandbTracker(name, run)
    from .tensorboard_tracker import TensorboardTracker

    return TensorboardTracker(name, run)


def flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Nested mappings as one, keys joined by dots; what is not set is left out."""
    flattened: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flattened |= flat(value, f"{path}{key}.")
        elif value is not None:
            flattened[f"{path}{key}"] = value
    return flattened
