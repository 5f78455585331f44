"""The README's first command on a machine that has only git, make and python3: whatever it needs, it brings.

The long form, with the cluster and all tests in a Debian of its own, is `make cleanroom`.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.machine.bare_machine import BareMachine, bare_machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareMachine]:
    """A bare machine; what was unpacked on it, hundreds of megabytes, goes with it."""
    home = tmp_path_factory.mktemp("bare")
    yield bare_machine(home)
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def setup(machine: BareMachine) -> subprocess.CompletedProcess[str]:
    return machine.run("make", "setup")


@pytest.fixture(scope="module")
def facts(machine: BareMachine, setup: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What the cluster's own steps find after `make setup`."""
    assert setup.returncode == 0, setup.stderr
    result = machine.run(".venv/bin/python", "tests/integration/bare/inside.py", PYTHONPATH="platform")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_nothing_but_the_system_is_on_the_path(machine: BareMachine) -> None:
    tools = [shutil.which(name, path=machine.environment["PATH"]) for name in ("go", "uv", "pyenv")]

    assert tools == [None, None, None]


def test_setup_makes_the_environment_with_a_uv_of_its_own(
    machine: BareMachine, setup: subprocess.CompletedProcess[str]
) -> None:
    assert setup.returncode == 0, setup.stderr
    assert os.access(machine.cache / "uv" / "bin" / "uv", os.X_OK)
    assert machine.run(".venv/bin/modelyard", "--help").returncode == 0


def test_a_second_setup_has_nothing_to_do(machine: BareMachine, setup: subprocess.CompletedProcess[str]) -> None:
    again = machine.run("make", "setup")

    assert (again.returncode, again.stdout) == (0, "")


def test_no_package_that_the_cluster_needs_is_left_out(facts: dict[str, Any]) -> None:
    assert facts["missing packages"] == []


def test_helm_and_kubectl_come_with_the_environment(machine: BareMachine, facts: dict[str, Any]) -> None:
    assert facts["programs"] == {name: str(machine.clone / ".venv" / "bin" / name) for name in ("helm", "kubectl")}
    assert machine.run(facts["programs"]["helm"], "version").returncode == 0
    assert machine.run(facts["programs"]["kubectl"], "version", "--client").returncode == 0


def test_programs_that_come_as_wheels_are_fetched_by_that_uv(machine: BareMachine, facts: dict[str, Any]) -> None:
    folders = [Path(folder) for folder in facts["wheels"].values()]

    assert all(folder.is_relative_to(machine.cache / "wheels") for folder in folders)
    assert all(any(folder.rglob("*")) for folder in folders)


def test_go_comes_as_a_wheel_and_compiles_a_program_of_the_cluster(machine: BareMachine, facts: dict[str, Any]) -> None:
    toolchain = Path(facts["go root"])

    assert toolchain.is_relative_to(machine.cache / "wheels")
    assert facts["go"] == str(toolchain / "bin" / "go")
    assert facts["go version"].startswith("go version go1.")
    assert Path(facts["compiled"]).read_bytes().startswith(b"\x7fELF")
