"""The cluster's start beside the other stages: a real program, which stands in for the one that starts a cluster."""

import sys
from pathlib import Path

import pytest
from rich.console import Console

from testrun.__main__ import run
from testrun.cluster import Cluster
from testrun.outcome import Outcome
from testrun.stages import e2e

PROGRAM = """
import pathlib, sys
home, verb = pathlib.Path(sys.argv[1]), sys.argv[2]
with (home / "verbs").open("a") as verbs:
    verbs.write(verb + "\\n")
if verb == "up":
    print("pulling the images")
sys.exit(int((home / verb).read_text()))
"""


class Platform:
    """A folder with the exit codes of the verbs, and the verbs that were called."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exits(status=1, up=0, down=0)
        (folder / "program.py").write_text(PROGRAM)
        self.cluster = Cluster(
            [sys.executable, str(folder / "program.py"), str(folder)], folder / "logs" / "cluster.log", folder, {}
        )

    def exits(self, **codes: int) -> None:
        for verb, code in codes.items():
            (self.folder / verb).write_text(str(code))

    @property
    def verbs(self) -> list[str]:
        return (self.folder / "verbs").read_text().split()


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


def test_it_starts_in_the_background_and_is_ended_when_it_was_not_there_before(platform: Platform) -> None:
    platform.cluster.begin(background=True)

    assert platform.cluster.wait() == ""
    platform.cluster.leave()

    assert platform.verbs == ["status", "up", "down"]
    assert (platform.folder / "logs" / "cluster.log").read_text() == "pulling the images\n"
    assert platform.cluster.progress() == "the local cluster is up"


def test_one_that_was_there_before_is_completed_and_stays(platform: Platform) -> None:
    platform.exits(status=0)

    platform.cluster.begin(background=True)
    platform.cluster.wait()
    platform.cluster.leave()

    assert platform.verbs == ["status", "up"]


def test_a_start_that_fails_fails_the_stage_and_shows_the_end_of_its_log(
    platform: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    platform.exits(up=3)
    platform.cluster.begin(background=True)

    outcome = e2e(platform.cluster)

    assert not outcome.good
    assert outcome.broken == [f"the local cluster did not start (code 3), see {platform.folder}/logs/cluster.log"]
    assert "pulling the images" in capfd.readouterr().err


def test_without_the_stage_that_needs_it_nothing_is_started(platform: Platform) -> None:
    run(["lint"], Console(quiet=True), platform.cluster, {"lint": lambda _: Outcome("lint")})

    assert not (platform.folder / "verbs").exists()


def test_a_failed_stage_does_not_keep_the_later_ones_from_running_and_the_cluster_is_ended(platform: Platform) -> None:
    stages = {
        "lint": lambda _: Outcome("lint", broken=["pyright failed"]),
        "unit": lambda _: Outcome("unit", 3, 1),
        "e2e": lambda cluster: Outcome("e2e", 2, broken=[failure for failure in [cluster.wait()] if failure]),
    }

    outcomes = run(list(stages), Console(quiet=True), platform.cluster, stages)

    assert [(outcome.stage, outcome.good) for outcome in outcomes] == [("lint", False), ("unit", False), ("e2e", True)]
    assert platform.verbs == ["status", "up", "down"]


def test_a_stage_that_breaks_off_leaves_no_cluster_behind(platform: Platform) -> None:
    def interrupted(_: Cluster) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(["unit", "e2e"], Console(quiet=True), platform.cluster, {"unit": interrupted})

    assert platform.verbs[-1] == "down"
