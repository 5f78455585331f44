"""Stages beside others: real programs in the background, shown in their turn."""

import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from testrun.__main__ import run
from testrun.beside import GIVES_WAY, Beside, Call, calling_patiently
from testrun.cluster import Cluster
from testrun.outcome import Outcome
from testrun.stages import BESIDE, STAGES


def printing(words: str) -> Callable[[Call], Outcome]:
    """A stage whose program prints words."""

    def stage(by: Call) -> Outcome:
        return Outcome(words, passed=1, failed=by([sys.executable, "-c", f"print('{words}')"], Path("/"), os.environ))

    return stage


@pytest.fixture
def no_cluster(tmp_path: Path) -> Cluster:
    return Cluster(["false"], tmp_path / "cluster.log", tmp_path, {})


@pytest.fixture
def background(tmp_path: Path) -> Iterator[Callable[..., Beside]]:
    begun: list[Beside] = []

    def begin(**stages: Callable[[Call], Outcome]) -> Beside:
        begun.append(Beside(stages, tmp_path))
        return begun[-1]

    yield begin
    for one in begun:
        one.leave()


def test_what_it_prints_is_shown_in_its_turn_and_kept(background: Callable[..., Beside], tmp_path: Path) -> None:
    beside, shown = background(first=printing("one"), second=printing("two")), io.BytesIO()

    second, first = beside.outcome("second", shown), beside.outcome("first", shown)

    assert shown.getvalue() == b"two\none\n"
    assert (first.passed, first.failed, second.stage) == (1, 0, "two")
    assert first.seconds > 0
    assert (tmp_path / "first.log").read_text() == "one\n"
    assert "third" not in beside


def test_what_it_prints_is_shown_while_it_runs(background: Callable[..., Beside], tmp_path: Path) -> None:
    going_on = threading.Event()

    class Sink(io.BytesIO):
        def write(self, part: object) -> int:
            if b"half" in bytes(part):  # type: ignore[call-overload]
                going_on.set()
            return super().write(part)  # type: ignore[arg-type]

    def stage(by: Call) -> Outcome:
        by([sys.executable, "-c", "print('half')"], tmp_path, os.environ)
        assert going_on.wait(60)
        return Outcome("slow", 1)

    assert background(slow=stage).outcome("slow", Sink()).passed == 1


def test_a_stage_that_breaks_off_is_told_by_whoever_asks_for_it(background: Callable[..., Beside]) -> None:
    def broken(_: Call) -> Outcome:
        raise OSError("no such folder")

    with pytest.raises(OSError, match="no such folder"):
        background(broken=broken).outcome("broken", io.BytesIO())


def test_what_still_runs_is_ended_and_what_waits_is_not_begun(background: Callable[..., Beside]) -> None:
    began, codes = threading.Event(), list[int]()

    def stage(by: Call) -> Outcome:
        began.set()
        codes.append(by([sys.executable, "-c", "import time; time.sleep(600)"], Path("/"), os.environ))
        return Outcome("long")

    beside = background(long=stage, later=stage)
    assert began.wait(60)

    beside.leave()

    assert codes == [-15]


@pytest.mark.parametrize("patiently", [True, False], ids=["in its turn", "beside others"])
def test_it_gives_way_to_the_cluster(patiently: bool, background: Callable[..., Beside], tmp_path: Path) -> None:
    program = "for _ in range(3000):\n time.sleep(0.01)\n if os.nice(0) == int(sys.argv[1]): sys.exit(0)\nsys.exit(1)"
    command = [sys.executable, "-c", f"import os, sys, time\n{program}", str(min(19, os.nice(0) + GIVES_WAY))]

    def stage(by: Call) -> Outcome:
        return Outcome("nice", 1, by(command, tmp_path, os.environ))

    outcome = stage(calling_patiently) if patiently else background(nice=stage).outcome("nice", io.BytesIO())

    assert outcome == replace(Outcome("nice", 1, 0), seconds=outcome.seconds)


def test_stages_that_may_begin_with_the_first_and_come_in_order(no_cluster: Cluster, tmp_path: Path) -> None:
    began = threading.Event()

    def early(_: Call) -> Outcome:
        began.set()
        return Outcome("integration", 2)

    def unit(_: Cluster) -> Outcome:
        return Outcome("unit", int(began.wait(60)))

    stages = {"unit": unit, "integration": STAGES["integration"]}
    outcomes = run(list(stages), Console(quiet=True), no_cluster, stages, {"integration": early}, tmp_path)

    assert [(outcome.stage, outcome.passed) for outcome in outcomes] == [("unit", 1), ("integration", 2)]


def test_the_first_stage_and_those_after_the_whole_path_run_in_their_turn(tmp_path: Path) -> None:
    order: list[str] = []

    def stage(name: str) -> Callable[[object], Outcome]:
        return lambda _: order.append(name) or Outcome(name)

    cluster = Cluster(["true"], tmp_path / "cluster.log", tmp_path, {})
    names = ["integration", "e2e", "charts"]
    stages = {name: stage(f"{name} in its turn") for name in names}

    run(names, Console(quiet=True), cluster, stages, {name: stage(f"{name} beside") for name in BESIDE}, tmp_path)

    assert order == [f"{name} in its turn" for name in names]


def test_what_runs_beside_others_is_a_stage_too() -> None:
    assert set(BESIDE) < set(STAGES)
