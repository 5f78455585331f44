"""Every program that the code starts comes from a step of the project's own, from Debian, or from the README's list."""

from pathlib import Path

import pytest

from testrun.stages import CHECKS
from tests.support.repository.program_origins import ROOT, WORDS, in_recipes, is_brought, sources, unexplained
from tests.support.repository.program_scan import Scan

STARTS = {
    "written out": 'import subprocess\nsubprocess.run(["jq", "."])',
    "under a name of the module": 'import subprocess\nJQ = "jq"\nsubprocess.Popen([JQ, "."])',
    "in a list under a name": 'import subprocess\ndef f():\n    words = ["jq"]\n    subprocess.run([*words, "."])',
    "behind a runner with options": 'import subprocess\nsubprocess.run(["nsenter", "-t", "1", "-n", "jq", "."])',
    "on one side of a condition": 'import subprocess\nsubprocess.run(["rm" if x else "jq"])',
    "one of several in a loop": 'import shutil\nfor name in ("rm", "jq"):\n    shutil.which(name)',
    "as a path": 'import os\nos.execv(FOLDER / "jq", ["jq"])',
    "through a function": 'import subprocess\ndef go(*words):\n    subprocess.run([str(w) for w in words])\ngo("jq")',
    "through a task": (
        "import subprocess\nclass Task:\n    def run(self, *argv):\n        subprocess.run(argv)\n"
        'def f(task: Task):\n    task.run("jq", ".")'
    ),
    "returned by a function": 'import subprocess\ndef words():\n    return ["jq"]\nsubprocess.run([*words(), "."])',
}


@pytest.mark.parametrize("how", STARTS)
def test_a_program_that_nothing_brings_is_noticed(how: str) -> None:
    assert [start.program for start in unexplained(Scan([("new.py", STARTS[how])]).starts())] == ["jq"]


def test_a_program_under_a_name_that_cannot_be_followed_is_reported_in_the_sources_words() -> None:
    text = "import subprocess\nsubprocess.run(settings.tool)"

    assert [(start.program, start.line) for start in unexplained(Scan([("new.py", text)]).starts())] == [
        ("settings.tool", 2)
    ]


def test_every_program_that_is_started_is_brought_by_somebody_and_no_explanation_outlives_it() -> None:
    starts = list(Scan(sources()).starts())
    seen = {Path(start.program).name for start in starts}

    assert {"apt-get", "buildah", "ctr", "go", "helm", "ip", "kubectl", "mount", "setsid", "tritonserver", "uv"} <= seen
    assert unexplained(starts) == []
    assert WORDS.keys() - {start.program for start in starts} == set()


def test_every_check_of_lint_is_a_program_of_the_environment() -> None:
    assert [command[0] for command in CHECKS.values() if not Path(command[0]).exists()] == []


def test_recipes_start_what_is_brought() -> None:
    recipes = in_recipes((ROOT / "Makefile").read_text())

    assert "python3" in recipes
    assert [word for word in recipes if not word.startswith(("$(", ".venv/bin/")) and not is_brought(word)] == []
