"""Which tracker a training is written down with, looked at before it begins; `programs.tracking` is what writes.

A word that nobody knows, or MLflow without an address, is a mistake and said at once. A tracker that is away is not:
the training goes on without it. Beside a trainer in another container, its own environment says what is meant.
"""

import os

from modelyard.errors import InvalidSettings

from . import sidecar_client

TRACK, MLFLOW_URI = "MODELYARD_TRACK", "MLFLOW_TRACKING_URI"
KINDS = ("none", "mlflow", "wandb", "tensorboard")
"""What may be asked for, as `programs.tracking.tracker` knows it."""


def tracked(asked: str = "") -> str:
    """One of KINDS, or empty where only the trainer knows; `asked` goes before the environment.

    Raises InvalidSettings for what cannot be meant.
    """
    named = asked or os.environ.get(TRACK, "")
    if named and named not in KINDS:
        raise InvalidSettings(f"{TRACK} is {named!r}, which is no tracker: write one of {', '.join(KINDS)}.")
    if named == "mlflow" and sidecar_client.common() is None and not os.environ.get(MLFLOW_URI):
        raise InvalidSettings(f"the training is to be logged to MLflow, and {MLFLOW_URI} names no server: set it.")
    return named
