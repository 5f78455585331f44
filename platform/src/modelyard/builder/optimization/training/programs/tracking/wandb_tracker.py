"""Weights & Biases, by its own package; without WANDB_API_KEY into its offline folder, which `wandb sync` sends later.

WANDB_MODE decides where it is set. Nobody is asked for a key at a terminal.
"""

import os
from collections.abc import Mapping

import wandb  # type: ignore[import-not-found]

from .tracker import PROJECT

_START_SECONDS = 30
_STEP = "epoch"


class WandbTracker:
    """A run of the project `modelyard`, or of the one WANDB_PROJECT names."""

    def __init__(self, name: str, run: str) -> None:
        mode = os.environ.get("WANDB_MODE") or ("online" if os.environ.get("WANDB_API_KEY") else "offline")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT") or PROJECT,
            name=None if run else name,
            id=run or None,
            resume="allow" if run else None,
            mode=mode,
            settings=wandb.Settings(init_timeout=_START_SECONDS, silent=True, console="off"),
        )
        self._run.define_metric("*", step_metric=_STEP)
        self.run: str = self._run.id

    def params(self, values: Mapping[str, str]) -> None:
        """As the run's config."""
        self._run.config.update(dict(values), allow_val_change=True)

    def metric(self, name: str, value: float, step: int) -> None:
        """As a row of its history, with the epoch as its axis."""
        self._run.log({name: value, _STEP: step})

    def text(self, name: str, value: str) -> None:
        """In the run's summary."""
        self._run.summary[name] = value

    def close(self, failed: bool) -> None:
        """Ends the run, until another process goes on with it."""
        self._run.finish(exit_code=int(failed))
