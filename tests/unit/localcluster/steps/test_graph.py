"""Steps run as soon as what they need is done; the first failure ends the run."""

import threading
from pathlib import Path

import pytest

from localcluster.errors import CommandFailed, NotReady
from localcluster.steps.graph import Graph, Progress, Step
from localcluster.steps.task import Task


def nothing(_: Task) -> None:
    return None


def graph(tmp_path: Path, *steps: Step) -> Graph:
    return Graph(steps, tmp_path / "logs")


def test_a_step_starts_after_everything_it_needs(tmp_path: Path):
    order: list[str] = []

    def step(name: str, *needs: str) -> Step:
        return Step(name, name, lambda _: str(order.append(name)), needs)

    graph(tmp_path, step("last", "left", "right"), step("left", "first"), step("right", "first"), step("first")).run()
    assert order[0] == "first"
    assert order[-1] == "last"
    assert sorted(order) == ["first", "last", "left", "right"]


def test_steps_that_need_nothing_of_each_other_run_at_once(tmp_path: Path):
    together = threading.Barrier(2, timeout=10)
    steps = [Step(name, name, lambda _: str(together.wait())) for name in ("a", "b")]
    graph(tmp_path, *steps).run()
    assert not together.broken


def test_steps_of_one_lane_run_one_at_a_time(tmp_path: Path):
    inside: list[str] = []
    most: list[int] = []

    def work(task: Task) -> None:
        inside.append(task.log.stem)
        most.append(len(inside))
        inside.remove(task.log.stem)

    graph(tmp_path, *(Step(name, name, work, lane="go") for name in "abcd")).run()
    assert most == [1, 1, 1, 1]


def test_a_failure_is_raised_with_its_log_and_later_steps_do_not_start(tmp_path: Path):
    failing = Step("bad", "Bad", lambda task: task.run("sh", "-c", "echo the reason >&2; exit 3"))
    after = Step("after", "After", nothing, ("bad",))
    run = graph(tmp_path, failing, after)
    with pytest.raises(CommandFailed, match="exit code 3") as failure:
        run.run()
    assert failure.value.log == tmp_path / "logs" / "bad.log"
    assert "the reason" in (tmp_path / "logs" / "bad.log").read_text()
    assert run.progress["after"].state == "waiting"


def test_a_failure_ends_programs_of_other_steps(tmp_path: Path):
    started = threading.Event()

    def long(task: Task) -> None:
        started.set()
        task.run("sleep", "600")

    def failing(task: Task) -> None:
        started.wait(10)
        task.until("nothing", lambda: False, seconds=0)

    run = graph(tmp_path, Step("long", "Long", long), Step("bad", "Bad", failing))
    with pytest.raises(NotReady):
        run.run()
    assert run.progress["long"].state == "stopped"


def test_a_step_that_needs_an_unknown_one_is_a_mistake(tmp_path: Path):
    with pytest.raises(ValueError, match="unknown"):
        graph(tmp_path, Step("a", "A", nothing, ("unknown",)))


def test_the_note_of_a_step_is_what_its_work_returns(tmp_path: Path):
    run = graph(tmp_path, Step("a", "A", lambda _: "cached"))
    run.run()
    assert (run.progress["a"].state, run.progress["a"].note) == ("done", "cached")


def test_an_interruption_ends_running_programs_before_it_goes_on(tmp_path: Path):
    ready, marker = tmp_path / "ready", tmp_path / "ended"
    program = f"trap 'touch {marker}; exit 1' TERM; touch {ready}; while :; do sleep 0.05; done"

    def interrupt(progress: Progress) -> None:
        if progress.step.name == "quick" and progress.state == "done":
            raise KeyboardInterrupt

    long = Step("long", "Long", lambda task: task.run("sh", "-c", program))
    quick = Step("quick", "Quick", lambda task: task.until("start", ready.exists, 10))
    with pytest.raises(KeyboardInterrupt):
        Graph([long, quick], tmp_path / "logs", interrupt).run()
    assert marker.exists()
