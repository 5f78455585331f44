"""`modelyard optimize --train`: the recipe is run first, and the engine goes on from what it made."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelyard.builder.optimization.optimizer import OptimizationOutcome, OptimizationRequest, Recipes
from modelyard.builder.optimization.search.recipes import from_trained
from modelyard.builder.optimization.trials.memory import Checkpoint
from modelyard.errors import HostFailure, InvalidEntry, UnsupportedModel

from .recipe import FILE
from .torch_baseline import references
from .training_run import Trained, TrainingRun, course_of, log_figures, train


@dataclass(frozen=True)
class StartingPoints:
    """An order with starting points and references, and the recipes that begin there."""

    order: OptimizationRequest
    recipes: Recipes
    course: TrainingRun
    trained: Trained

    def log(self, outcome: OptimizationOutcome, tell: Callable[[str], None]) -> None:
        """The figures to where the training was logged; that this cannot be done is only told."""
        try:
            log_figures(self.course, self.trained, outcome.variants, outcome.chosen)
        except (UnsupportedModel, HostFailure) as bad:
            tell(f"the figures are not logged: {bad}")


def begin(
    order: OptimizationRequest, trust_code: bool, tell: Callable[[str], None], memory: Checkpoint | None = None
) -> StartingPoints:
    """Trains what the entry's recipe says, unless `memory` has it.

    Raises InvalidEntry without trust, recipe or evaluation set, InvalidSettings without torch, UnsupportedModel when
    the training fails.
    """
    if not trust_code:
        raise InvalidEntry(
            f"training runs the Python files beside {order.path / FILE}; add --trust-code if they come from you or "
            "from somebody you trust."
        )
    course = course_of(order.path, order.out)
    memory = memory or Checkpoint()
    memory.recall_trained(course.folder)
    compared = references(course, tell)
    trained = train(course, tell)
    memory.keep_trained(course.folder)
    notes = (*order.notes, *trained.notes)
    begun = replace(order, starts=trained.starts, references=compared, notes=notes)
    return StartingPoints(begun, from_trained(trained.starts), course, trained)
