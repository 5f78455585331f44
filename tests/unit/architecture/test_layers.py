"""The rooms are as designed: wiring over doing, doing over deciding, deciding over nouns. A machine checks it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLATFORM = Path(__file__).resolve().parents[3] / "platform"
OPERATOR, PASSES = "Rooms of the operator", "Reconcile passes ask nobody"
ROOMS, LEAVES = "Rooms: wiring over doing", "settings, errors, installation and"


def copy(folder: Path) -> Path:
    """A copy of the platform that a test may spoil."""
    shutil.copy(PLATFORM / "pyproject.toml", folder)
    shutil.copytree(PLATFORM / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return copy(tmp_path)


def checked(tree: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of a tree."""
    program = "import sys; sys.path.insert(0, 'src'); from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-c", program, "--config", "pyproject.toml", "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


def test_the_tree_keeps_its_contracts(tree: Path) -> None:
    result = checked(tree)

    assert result.returncode == 0, result.stdout


SPOILING = [
    ("core/decide.py", "from modelyard.operator import queue", ROOMS, "modelyard.operator"),
    ("core/decide.py", "from modelyard import clients", ROOMS, "modelyard.clients"),
    ("api/model.py", "from modelyard.core import names", ROOMS, "modelyard.core.names"),
    ("clients/__init__.py", "from modelyard.operator import queue", ROOMS, "modelyard.operator"),
    ("operator/workqueue.py", "from modelyard import cli", ROOMS, "modelyard.cli"),
    ("operator/cache/objects.py", "from modelyard.operator import traffic", OPERATOR, "modelyard.operator.traffic"),
    ("operator/observer/jobs.py", "from modelyard.operator import traffic", OPERATOR, "modelyard.operator.traffic"),
    ("operator/observer/entries.py", "from modelyard.registry import bucket", PASSES, "modelyard.registry.bucket"),
    ("operator/reconciler/reconcile.py", "from modelyard.clients import store", PASSES, "modelyard.clients.store"),
    ("core/decide.py", "import time", "core and api do no I/O", "time"),
    ("core/decide.py", "import random", "core and api do no I/O", "random"),
    ("api/model.py", "import httpx", "core and api do no I/O", "httpx"),
    ("settings.py", "from modelyard import core", LEAVES, "modelyard.core"),
    ("errors.py", "from modelyard import api", LEAVES, "modelyard.api"),
    ("installation.py", "from modelyard import core", LEAVES, "modelyard.core"),
    ("child_environment.py", "from modelyard import core", LEAVES, "modelyard.core"),
    ("child_limits.py", "from modelyard import core", LEAVES, "modelyard.core"),
    ("operator/workqueue.py", "import boto3", "Only clients, registry and build", "boto3"),
    ("cli/main.py", "import onnxruntime", "Only clients, registry and build", "onnxruntime"),
]
"""A module, a line that it may not have, the contract against that, and what is imported."""


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a tree with all those lines."""
    tree = copy(tmp_path_factory.mktemp("spoilt"))
    for module, line, _, _ in SPOILING:
        spoilt = tree / "src" / "modelyard" / module
        spoilt.write_text(spoilt.read_text() + f"\n{line}\n")
    result = checked(tree)
    assert result.returncode != 0
    return result.stdout


@pytest.mark.parametrize(("module", "line", "contract", "imported"), SPOILING)
def test_breaking_a_layer_fails(complaints: str, module: str, line: str, contract: str, imported: str) -> None:
    importer = f"modelyard.{module.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
    [said] = re.findall(rf"^{re.escape(contract)}.*\n-+\n((?:.*\n)*?)(?=.*\n-+\n|\Z)", complaints, re.MULTILINE)

    assert re.search(rf"^{re.escape(contract)}.* BROKEN$", complaints, re.MULTILINE)
    assert re.search(rf"^-\s+{re.escape(importer)} -> {re.escape(imported)} \(", said, re.MULTILINE), f"{line}: {said}"
