"""An operator that is stopped after every single write of a rollout ends it like one that is not disturbed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from tests.support.operator.bench import Bench
from tests.support.operator.clocked_operator import Walk
from tests.support.operator.leftovers import remains

KEPT = {"bake": "1s", "abortScaleDownDelay": "1s"}
CANARY = {"strategy": "Canary", "steps": [{"weight": 50}], **KEPT}
BLUE_GREEN = {"strategy": "BlueGreen", **KEPT}
SLO = {"errorRate": "1%"}


class Story(NamedTuple):
    """A rollout to version 2, the share of its answers that is bad, and the share at which it is taken back."""

    rollout: dict[str, Any]
    shares: list[int]
    outcome: str
    bad: float = 0.0
    back_at: int | None = None


STORIES = {
    "a good canary": Story(CANARY, [0, 50, 100], "Promoted"),
    "a canary that fails": Story(CANARY, [0, 50, 0], "Aborted", bad=0.5),
    "a canary rolled back by its old spec": Story(CANARY, [0, 50, 0], "RolledBack", back_at=50),
    "blue-green": Story(BLUE_GREEN, [0, 100], "Promoted"),
}


def lived(bench: Bench, story: Story, writes: float = float("inf")) -> Walk:
    """Version 1 serves, and version 2 is rolled out to the end."""
    walk = Walk(bench, "digits", rate=20_000, writes=writes)
    walk.users.bad["2"] = story.bad
    ask(bench, "1", story)
    walk.until(lambda: bench.condition("digits", "Reconciling").get("reason") == "Done")
    walk.shares.clear()
    ask(bench, "2", story)

    def take_back() -> None:
        if walk.share("2") == story.back_at:
            ask(bench, "1", story)

    def over() -> bool:
        rollout = bench.status("digits")["rollout"]
        return bool(rollout.get("history")) and rollout["phase"] == "Idle" and len(bench.names("InferenceService")) == 1

    walk.until(over, take_back)
    return walk


def ask(bench: Bench, version: str, story: Story) -> None:
    bench.ask("digits", source={"name": "digits", "version": version}, slo=SLO, rollout=story.rollout)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_stopped_after_every_write_a_rollout_reaches_the_same_end_by_the_same_weights(
    a_calm_bench: Callable[[], Bench], story: Story
) -> None:
    calm = lived(a_calm_bench(), story)
    stopped = lived(a_calm_bench(), story, writes=1)

    assert (calm.stops, stopped.stops > 20) == (0, True)
    assert calm.bench.status("digits")["rollout"]["history"][0]["outcome"] == story.outcome
    assert (calm.shares, stopped.shares) == (story.shares, story.shares)
    assert remains(stopped.bench) == remains(calm.bench)
