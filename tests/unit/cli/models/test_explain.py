"""What `modelyard explain` prints at the end is where to begin."""

import pytest
from rich.console import Console

from modelyard.cli.models.diagnosis import PathStep, Standing
from modelyard.cli.models.explain import show

GOOD = PathStep("Model", Standing.GOOD, "taken up.")
WAITING = PathStep("Build", Standing.WAITING, "a Job builds [it].", "wait")
BAD = PathStep("Revision digits-1", Standing.BAD, "out of memory.", "raise the limit")


@pytest.mark.parametrize(
    ("steps", "ending"),
    [
        ((GOOD,), "Nothing is wrong."),
        ((GOOD, WAITING), "On its way at Build: a Job builds [it].\nDo: wait"),
        ((GOOD, WAITING, BAD), "Wrong at Revision digits-1: out of memory.\nDo: raise the limit"),
    ],
)
def test_the_first_bad_station_is_the_conclusion(steps, ending):
    console = Console(width=120, no_color=True)
    with console.capture() as shown:
        show(steps, console)

    assert shown.get().strip().endswith(ending)
