"""What a step's log keeps of the programs it ran."""

import sys
from pathlib import Path

import pytest

from localcluster.errors import CommandFailed
from localcluster.steps.task import Task

LONG = "print('line\\n' * 20_000 + 'the last words')"


def test_the_log_of_a_program_that_failed_has_its_last_words(tmp_path: Path) -> None:
    task = Task(tmp_path / "step.log")

    with pytest.raises(CommandFailed):
        task.run(sys.executable, "-c", f"{LONG}; raise SystemExit(1)")

    log = task.log.read_text()
    assert log.rstrip().endswith("the last words")
    assert len(log) < 30_000


def test_the_log_of_a_program_that_went_well_only_counts_long_output(tmp_path: Path) -> None:
    task = Task(tmp_path / "step.log")

    task.run(sys.executable, "-c", LONG)

    assert task.log.read_text().rstrip().endswith("characters of output)")
