"""`modelyard optimize --train`: the recipe is run first, and the engine goes on from what it made."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from modelyard.api.optimization import Optimization
from modelyard.build.optimize.engine import Order, Recipes
from modelyard.build.optimize.recipes import from_trained
from modelyard.errors import InvalidEntry

from .course import Course, Trained, course_of, log_figures, train
from .recipe import FILE
from .reference import references


@dataclass(frozen=True)
class Begun:
    """An order with starting points and references, and the recipes that begin there."""

    order: Order
    recipes: Recipes
    course: Course
    trained: Trained

    def log(self, report: Optimization) -> None:
        """The finished report's figures to where the training was logged."""
        log_figures(self.course, self.trained, report)


def begin(order: Order, trust_code: bool, tell: Callable[[str], None]) -> Begun:
    """Trains what the entry's recipe says. Raises InvalidEntry without trust, recipe or evaluation set,
    InvalidSettings without torch, UnsupportedModel when the training fails.
    """
    if not trust_code:
        raise InvalidEntry(
            f"training runs the Python files beside {order.path / FILE}; add --trust-code if they come from you or "
            "from somebody you trust."
        )
    course = course_of(order.path, order.out)
    compared = references(course, tell)
    trained = train(course, tell)
    notes = (*order.notes, *trained.notes)
    begun = replace(order, starts=trained.starts, references=compared, notes=notes)
    return Begun(begun, from_trained(trained.starts), course, trained)
