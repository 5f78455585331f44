"""The program `modelyard`, and what it says where only the Python client is installed."""

import subprocess
import sys

WITHOUT_TYPER = "import sys; sys.modules['typer'] = None; from modelyard.command import run; run()"
WITH_ALL = "import sys; sys.argv = ['modelyard', '--help']; from modelyard.command import run; run()"


def ran(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


def test_it_is_the_command_line_where_that_is_installed() -> None:
    assert "Commands" in ran(WITH_ALL).stdout


def test_it_names_the_extra_where_it_is_not() -> None:
    done = ran(WITHOUT_TYPER)

    assert done.returncode == 2
    assert done.stderr == "the command needs the package typer: pip install 'modelyard[cli]'.\n"
