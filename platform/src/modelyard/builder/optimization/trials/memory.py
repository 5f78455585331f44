"""What an optimization remembers beyond the process it runs in: by default nothing.

A Job of the cluster may be evicted at any moment; `checkpoint` keeps what it found in the store, and the next one goes
on from there.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .trial import Trial, run_trial

if TYPE_CHECKING:
    from modelyard.builder.optimization.pass_api import Recipe

    from .trial import Bench


class Checkpoint:
    """Remembers nothing; `spent` are the seconds of the budget that earlier processes used."""

    spent: float = 0.0

    def recall(self, recipe: Recipe, folder: Path) -> Trial | None:
        """What an earlier process found out about a recipe, its files put into FOLDER; None when it must be tried."""
        return None

    def begin(self, recipe: Recipe) -> str | None:
        """Notes that a recipe is tried now; a sentence when it had better not be."""
        return None

    def keep(self, trial: Trial) -> None:
        """Keeps a finished trial with its files."""

    def recall_trained(self, folder: Path) -> None:
        """Makes FOLDER of what an earlier process trained; its name says what was to be trained."""

    def keep_trained(self, folder: Path) -> None:
        """Keeps FOLDER, in which training has left all it made."""

    def start(self) -> None:
        """From now on seconds count towards the budget."""

    def save(self) -> None:
        """Keeps whatever else has changed."""


def attempted(checkpoint: Checkpoint, bench: Bench, recipe: Recipe, first: Trial, seconds: float) -> Trial:
    """The trial of a recipe, run now within `seconds` and kept, unless `checkpoint` advises against it.

    A trial that the budget or the machine cut short is not kept.
    """
    against = checkpoint.begin(recipe)
    trial = Trial(recipe, refused=against) if against else run_trial(bench, recipe, first, seconds)
    if trial.begun:
        checkpoint.keep(trial)
    return trial
