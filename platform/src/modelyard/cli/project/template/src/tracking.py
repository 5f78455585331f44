"""Where a training is written down besides metrics.json: MLflow, Weights & Biases or TensorBoard, or nowhere.

TRACK=mlflow        the server that MLFLOW_TRACKING_URI names          pip install mlflow-skinny
TRACK=wandb         its server with WANDB_API_KEY, else ./wandb        pip install wandb
TRACK=tensorboard   event files below ./runs                           pip install tensorboard

A package that is missing or a server that is away costs a sentence, and the training goes on; another word ends it
before it begins. Keys come from the environment alone.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

TRACKERS = ("", "none", "mlflow", "wandb", "tensorboard")


def wanted() -> str:
    """What TRACK says; ends the program when nobody knows that."""
    named = os.environ.get("TRACK", "")
    if named not in TRACKERS:
        sys.exit(f"TRACK={named} is no tracker: write one of {', '.join(TRACKERS[1:])}, or leave it out.")
    if named == "mlflow" and not os.environ.get("MLFLOW_TRACKING_URI"):
        sys.exit("TRACK=mlflow needs the address of a server: set MLFLOW_TRACKING_URI.")
    return named


def write_down(tracker: str, name: str, parameters: dict[str, Any], losses: Sequence[float], digest: str) -> None:
    """A finished training: its parameters, the loss after every step, and the digest of the model."""
    if tracker in ("", "none"):
        return
    try:
        {"mlflow": _mlflow, "wandb": _wandb, "tensorboard": _tensorboard}[tracker](name, parameters, losses, digest)
    except Exception as bad:  # noqa: BLE001 - a tracker is no reason to train again
        print(f"not logged to {tracker}: {type(bad).__name__}: {str(bad)[:200]}", file=sys.stderr)


def _mlflow(name: str, parameters: dict[str, Any], losses: Sequence[float], digest: str) -> None:
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    import mlflow

    mlflow.set_experiment(name)
    with mlflow.start_run(tags={"model.digest": digest}):
        mlflow.log_params(parameters)
        for step, loss in enumerate(losses, start=1):
            mlflow.log_metric("loss", loss, step=step)


def _wandb(name: str, parameters: dict[str, Any], losses: Sequence[float], digest: str) -> None:
    import wandb

    mode = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
    with wandb.init(project=name, config=parameters, mode=mode) as run:
        for step, loss in enumerate(losses, start=1):
            run.log({"loss": loss}, step=step)
        run.summary["model.digest"] = digest


def _tensorboard(name: str, parameters: dict[str, Any], losses: Sequence[float], digest: str) -> None:
    from tensorboard.summary import Writer

    folder = Path("runs", f"{name}-{time.strftime('%Y%m%d-%H%M%S')}-{digest[-8:]}")
    writer = Writer(str(folder))
    for step, loss in enumerate(losses, start=1):
        writer.add_scalar("loss", loss, step)
    writer.close()
    (folder / "parameters.json").write_text(json.dumps({**parameters, "model.digest": digest}))
