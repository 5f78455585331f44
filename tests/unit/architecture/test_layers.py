"""The rooms are as designed: wiring over doing, doing over deciding, deciding over nouns. A machine checks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLATFORM = Path(__file__).resolve().parents[3] / "platform"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the platform that a test may spoil."""
    shutil.copy(PLATFORM / "pyproject.toml", tmp_path)
    shutil.copytree(PLATFORM / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return tmp_path


def checked(tree: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of a tree."""
    program = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", program, "--config", "pyproject.toml", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_the_tree_keeps_its_contracts(tree: Path) -> None:
    result = checked(tree)

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/decide.py", "from modelyard.operator import queue", "Rooms"),
        ("core/decide.py", "from modelyard import clients", "Rooms"),
        ("api/model.py", "from modelyard.core import names", "Rooms"),
        ("clients/__init__.py", "from modelyard.operator import queue", "Rooms"),
        ("operator/workqueue.py", "from modelyard import cli", "Rooms"),
        ("operator/cache/objects.py", "from modelyard.operator import traffic", "Rooms of the operator"),
        ("operator/observer/jobs.py", "from modelyard.operator import traffic", "Rooms of the operator"),
        ("operator/observer/entries.py", "from modelyard.registry import bucket", "Reconcile passes ask nobody"),
        ("operator/reconciler/reconcile.py", "from modelyard.clients import store", "Reconcile passes ask nobody"),
        ("core/decide.py", "import time", "core and api do no I/O"),
        ("core/decide.py", "import random", "core and api do no I/O"),
        ("api/model.py", "import httpx", "core and api do no I/O"),
        ("settings.py", "from modelyard import core", "settings, errors, installation and"),
        ("errors.py", "from modelyard import api", "settings, errors, installation and"),
        ("installation.py", "from modelyard import core", "settings, errors, installation and"),
        ("child_environment.py", "from modelyard import core", "settings, errors, installation and"),
        ("child_limits.py", "from modelyard import core", "settings, errors, installation and"),
        ("operator/workqueue.py", "import boto3", "Only clients, registry and build"),
        ("cli/main.py", "import onnxruntime", "Only clients, registry and build"),
    ],
)
def test_breaking_a_layer_fails(tree: Path, module: str, line: str, contract: str) -> None:
    spoilt = tree / "src" / "modelyard" / module
    spoilt.write_text(spoilt.read_text() + f"\n{line}\n")

    result = checked(tree)

    broken = [one for one in result.stdout.splitlines() if one.endswith("BROKEN")]
    assert result.returncode != 0
    assert any(contract in one for one in broken), result.stdout
