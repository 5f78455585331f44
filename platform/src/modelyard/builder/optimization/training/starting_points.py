"""`modelyard optimize --train`: the recipe is run first, and the optimizer goes on from what it made."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelyard.builder.optimization.optimizer import OptimizationOutcome, OptimizationRequest, Recipes
from modelyard.builder.optimization.search.recipes import from_trained
from modelyard.builder.optimization.trials.memory import Checkpoint
from modelyard.errors import HostFailure, InvalidEntry, UnsupportedModel

from .recipe import FILE
from .torch_baseline import references
from .tracking import tracked
from .training_run import Trained, TrainingRun, log_figures, train, training_run_of


@dataclass(frozen=True)
class StartingPoints:
    """A request with starting points and references, the recipes that begin there, and what was trained."""

    request: OptimizationRequest
    recipes: Recipes
    training_run: TrainingRun
    trained: Trained

    def log(self, outcome: OptimizationOutcome, tell: Callable[[str], None]) -> None:
        """Logs the outcome's figures to the training's run in a tracker; `tell` gets the reason when that fails."""
        try:
            log_figures(self.training_run, self.trained, outcome.variants, outcome.chosen)
        except (UnsupportedModel, HostFailure) as bad:
            tell(f"the figures are not logged: {bad}")


def begin(
    request: OptimizationRequest,
    trust_code: bool,
    tell: Callable[[str], None],
    checkpoint: Checkpoint | None = None,
    track: str = "",
) -> StartingPoints:
    """Trains what the entry's recipe says, unless `checkpoint` has it; gives the request to optimize with.

    `track` is one of `tracking.KINDS`, what the environment says when left out. Raises InvalidEntry without trust,
    recipe or evaluation set, InvalidSettings without torch or for another tracker, UnsupportedModel when the training
    fails.
    """
    if not trust_code:
        raise InvalidEntry(
            f"training runs the Python files beside {request.path / FILE}; add --trust-code if they come from you or "
            "from somebody you trust."
        )
    training_run = training_run_of(request.path, request.out, tracked(track))
    checkpoint = checkpoint or Checkpoint()
    checkpoint.recall_trained(training_run.folder)
    compared = references(training_run, tell)
    trained = train(training_run, tell)
    checkpoint.keep_trained(training_run.folder)
    notes = (*request.notes, *trained.notes)
    started = replace(request, starts=trained.starts, references=compared, notes=notes)
    return StartingPoints(started, from_trained(trained.starts), training_run, trained)
