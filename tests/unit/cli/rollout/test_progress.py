"""The way of a rollout, station by station, for every strategy."""

import pytest

from modelyard.cli.rollout.progress import Reached, progress_steps
from tests.support.objects.rollout_statuses import CANDIDATE, NOW, STABLE, a_model, a_revision, a_rollout, before, split

SHADOW_THEN = {"strategy": "Shadow", "shadow": {"percent": 20, "then": "Canary"}, "steps": [{"weight": 50}]}
PREVIEW = {"strategy": "BlueGreen", "preview": {"pause": True}, "loadTest": {}}
SPLIT = {"strategy": "AB", "ab": {"weight": 30, "header": "x-user"}}


def shown(rollout, spec=None, revisions=None):
    model = a_model(rollout, spec, revisions=revisions or split(rollout["weight"]))
    marks = {Reached.DONE: "+", Reached.CURRENT: ">", Reached.HELD: "=", Reached.TO_COME: ""}
    found = progress_steps(model, NOW)
    return ", ".join(marks[one.reached] + one.label + (f" ({one.note})" if one.note else "") for one in found)


WAYS = {
    "a canary at its second step": (
        a_rollout(), {}, "+Build, +Start, +5 %, >25 %, 50 %, 100 % (bake 10m)",
    ),
    "a canary with weights and a bake of its own": (
        a_rollout(step=0, weight=10), {"steps": [{"weight": 10}, {"weight": 60, "pause": True}], "bake": "90s"},
        "+Build, +Start, >10 %, 60 % (pause), 100 % (bake 1m30s)",
    ),
    "a step with a hold": (
        a_rollout(step=0, weight=10), {"steps": [{"weight": 10, "hold": "5m"}]},
        "+Build, +Start, >10 % (3m left), 100 % (bake 10m)",
    ),
    "a load test before a preview": (
        a_rollout("Testing", 0, 0), PREVIEW, "+Build, +Start, >Load test, Preview (pause), 100 % (bake 10m)",
    ),
    "a preview that waits": (
        a_rollout("Previewing", 0, 0), PREVIEW, "+Build, +Start, +Load test, >Preview (pause), 100 % (bake 10m)",
    ),
    "a shadow before a canary": (
        a_rollout("Mirroring", 0, 0), SHADOW_THEN, "+Build, +Start, >Mirror 20 % (8m left), 50 %, 100 % (bake 10m)",
    ),
    "a shadow for a report": (
        a_rollout("Mirroring", 0, 0), {"strategy": "Shadow"}, "+Build, +Start, >Mirror 10 % (8m left), Report",
    ),
    "an A/B test": (a_rollout("Splitting", 0, 30), SPLIT, "+Build, +Start, >Split 30 %, Report"),
    "one that makes room first": (
        a_rollout("Replacing", 0, 0), {"strategy": "Recreate"}, "+Build, >Replace, Start",
    ),
    "an immediate one": (a_rollout("Building", 0, 0), {"strategy": "Immediate"}, ">Build, Start"),
    "the first revision": (a_rollout("Starting", 0, 0, stable=""), {}, "+Build, >Start"),
    "a bake": (
        a_rollout("Baking", 3, 100), {}, "+Build, +Start, +5 %, +25 %, +50 %, >100 % (bake 10m, 8m left)",
    ),
    "a bake that is held": (
        a_rollout("Holding", 3, 100, held="Baking"), {},
        "+Build, +Start, +5 %, +25 %, +50 %, =100 % (bake 10m, held)",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("rollout", "spec", "way"), WAYS.values(), ids=WAYS)
def test_the_way_is_told_by_the_strategy_and_the_phase(rollout, spec, way):
    assert shown(rollout, spec) == way


def test_a_share_counts_from_when_the_gateway_carries_it():
    waits = [a_revision(STABLE, 0, "Standby"), a_revision(CANDIDATE, 100, programmedTime="")]
    later = [a_revision(STABLE, 0, "Standby"), a_revision(CANDIDATE, 100, programmedTime=before(60))]
    baking = a_rollout("Baking", 3, 100)

    assert shown(baking, revisions=waits).endswith(">100 % (bake 10m, not in the gateway yet)")
    assert shown(baking, revisions=later).endswith(">100 % (bake 10m, 9m left)")


@pytest.mark.parametrize("phase", ["Idle", "Aborting"])
def test_without_a_way_forward_there_are_no_stations(phase):
    assert progress_steps(a_model(a_rollout(phase)), NOW) == ()
