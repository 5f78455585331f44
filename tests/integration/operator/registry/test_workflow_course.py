"""The course that the samples for workflow engines take, on a real API server and store with an operator at work.

The Jenkinsfile's lines are run by a shell, as Jenkins would. With the marker `airflow` Airflow itself runs the DAG.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.errors import UnknownEntry
from modelyard.registry.bucket import BucketRegistry
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import PROGRAM, surroundings
from tests.support.operator.bench import Bench, eventually
from tests.support.repository.workflow_samples import AIRFLOW, jenkins_lines

FOLLOWS = {"name": "toy", "alias": "challenger"}
PYTHON = "MODELYARD_AIRFLOW_PYTHON"


@pytest.fixture
def following(bench: Bench) -> Iterator[Bench]:
    """A bench at work on a Model that follows the challenger, which is version 1, as the champion is."""
    bench.push("toy", "1")
    for alias in ("challenger", "champion"):
        bench.alias("toy", alias, "1")
    bench.ask("toy", source=FOLLOWS)
    with bench.players.playing(), bench.operating(alias_seconds=0.5):
        bench.until("toy", "Reconciling", "False", "Done")
        yield bench


def revisions(bench: Bench) -> list[dict[str, Any]]:
    return bench.status("toy")["revisions"]


def version_of(bench: Bench, alias: str) -> str:
    try:
        return BucketRegistry(bench.store).resolve("toy", alias=alias).version
    except UnknownEntry:
        return ""


def person(bench: Bench, **more: str) -> dict[str, str]:
    """The environment of somebody who works on the bench, with the program on the path."""
    path = f"{Path(PROGRAM).parent}:{os.environ['PATH']}"
    where = {"KUBECONFIG": str(bench.api.kubeconfig), "PATH": path, "HOME": str(bench.folder), "NO_COLOR": "1"}
    return surroundings(bench.settings.store, **where, **more)


def course(bench: Bench, version: str) -> list[int]:
    """The exit codes of the Jenkinsfile's lines, up to the first that is not 0."""
    entry = an_entry(bench.folder / f"toy-{version}", name="toy", version=version)
    given = {"ENTRY": str(entry), "NAME": "toy", "VERSION": version, "MODEL": "toy", "NAMESPACE": bench.namespace}
    codes = []
    for line in jenkins_lines():
        done = subprocess.run(
            ["bash", "-c", line.replace("2h", "120s")], env=person(bench, **given), cwd=bench.folder,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        codes.append(done.returncode)
        if done.returncode:
            break
        assert [json.loads(row) for row in done.stdout.splitlines()] if "watch" in line else json.loads(done.stdout)
    return codes


def test_a_good_version_becomes_champion(following: Bench) -> None:
    assert course(following, "2") == [0, 0, 0, 0]

    assert following.status("toy")["version"] == "2"
    assert (version_of(following, "challenger"), version_of(following, "champion")) == ("2", "2")


def test_a_version_that_is_refused_ends_the_course_and_the_champion_stays(following: Bench) -> None:
    following.players.failures["2"] = {"reason": "UnsupportedModel", "message": "it has an unknown operator."}

    assert course(following, "2") == [0, 0, 1]

    assert (following.status("toy")["version"], version_of(following, "champion")) == ("1", "1")


def test_the_whole_course_again_changes_nothing(following: Bench) -> None:
    assert course(following, "2") == [0, 0, 0, 0]
    [before] = eventually(lambda: found if len(found := revisions(following)) == 1 else None, "the first has gone")

    assert course(following, "2") == [0, 0, 0, 0]

    assert revisions(following) == [before]


@pytest.mark.airflow
def test_airflow_runs_its_dag_to_the_end(following: Bench, tmp_path: Path) -> None:
    entry = an_entry(tmp_path / "toy-2", name="toy", version="2")
    given = {"entry": str(entry), "model": "toy", "namespace": following.namespace}
    home = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "false", "PYTHONPATH": ""}
    (tmp_path / "airflow" / "dags").mkdir(parents=True)
    shutil.copy(AIRFLOW, tmp_path / "airflow" / "dags")

    for words in (("db", "migrate"), ("dags", "test", "modelyard_release", "--conf", json.dumps(given))):
        done = subprocess.run(
            [os.environ[PYTHON], "-m", "airflow", *words], env={**person(following), **home}, cwd=tmp_path,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    assert (following.status("toy")["version"], version_of(following, "champion")) == ("2", "2")
