"""Progress reads well without a terminal, and a failure shows the end of the right log."""

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from localcluster.errors import CommandFailed
from localcluster.steps.graph import Graph, Step
from localcluster.steps.progress import Display, explain
from localcluster.steps.task import Task

ERASE = "\x1b[2K"


def plain() -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=False, width=100), text


def test_without_a_terminal_every_step_is_one_line_with_what_is_cached(tmp_path: Path):
    console, text = plain()
    with Display("Local cluster", console) as display:
        Graph([Step("a", "Programs: kubernetes", lambda _: "cached")], tmp_path, display.changed).run()
    lines = text.getvalue().splitlines()
    assert lines[0] == "Local cluster"
    assert "Programs: kubernetes" in lines[1]
    assert "(cached)" in lines[1]
    assert lines[2].startswith("Local cluster: 1 steps, 1 found done")


def test_a_failed_run_ends_with_the_name_of_the_step_that_failed(tmp_path: Path):
    console, text = plain()
    failing = Step("a", "API server", lambda task: task.run("false"))
    with pytest.raises(CommandFailed), Display("Local cluster", console) as display:
        Graph([failing], tmp_path, display.changed).run()
    assert "Local cluster: failed at 'API server'" in text.getvalue()


def test_on_a_terminal_the_display_ends_with_the_number_of_steps(tmp_path: Path):
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=100)
    with Display("Local cluster", console) as display:
        Graph([Step("a", "A", lambda _: None)], tmp_path, display.changed).run()
    assert "1 steps" in text.getvalue()


def test_on_a_small_terminal_a_step_is_one_line_while_it_runs_and_one_when_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TERM", "xterm")  # a dumb one, as in a build's log, draws no frames
    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=50, height=10)
    names = [f"step {number:02}" for number in range(20)]

    def work(task: Task) -> str:
        task.say("compiling kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy")
        time.sleep(0.6)
        return "built from a module whose name is much too long for the line"

    steps = [Step(name, name, work) for name in names]
    with Display("Local cluster", console) as display:
        Graph(steps, tmp_path, display.changed).run()

    *frames, last = text.getvalue().split(ERASE)
    assert [sum(name in line for line in last.splitlines()) for name in names] == [1] * len(names)
    assert len(last.splitlines()) == len(names) + len(["title", "summary"])
    assert max(len(frame.splitlines()) for frame in frames) <= console.height


def test_a_failure_shows_the_sentence_the_last_lines_of_the_log_and_the_hint(tmp_path: Path):
    log = tmp_path / "build.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    console, text = plain()
    explain(CommandFailed("`go build` ended with exit code 1.", log, "Free some memory."), console, lines=3)
    shown = text.getvalue()
    assert "`go build` ended" in shown
    assert "line 99" in shown
    assert "line 97" in shown
    assert "line 96" not in shown
    assert "Free some memory." in shown


@pytest.mark.parametrize("log", [None, Path("/nowhere/at/all.log")])
def test_a_failure_without_a_log_is_still_a_sentence(log: Path | None):
    console, text = plain()
    explain(CommandFailed("It failed.", log), console)
    assert text.getvalue().strip() == "It failed."
