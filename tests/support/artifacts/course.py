"""A repository that `modelyard new` made, worked in as its README says.

Its stages are run as its own dvc.yaml lists them, in that order and with what they declare looked at, but without DVC.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from modelyard.cli.project.new import write_repository
from tests.support.machine.command_line import surroundings
from tests.support.servers.store import free_ports

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
_ROLES = ("GIT_AUTHOR", "GIT_COMMITTER")
SOMEBODY = {f"{role}_{fact}": "ci@example.com" for role in _ROLES for fact in ("NAME", "EMAIL")}
"""Who commits, for git."""
_NEVER_OUTDATED = 4_000_000_000
"""Seconds since 1970: `make setup` finds nothing to install, whenever the repository was copied."""


@dataclass(frozen=True)
class Course:
    """A repository, and the environment of whoever works in it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        """The stages of dvc.yaml by name, in order."""
        return yaml.safe_load((self.folder / "dvc.yaml").read_text())["stages"]

    def learn_quickly(self) -> None:
        """Fewer people and trees than a person would want: the course is the same."""
        path = self.folder / "params.yaml"
        settings = yaml.safe_load(path.read_text())
        settings["data"] |= {"people": 4000, "held_out": 2000}
        settings["train"] |= {"n_estimators": 40}
        path.write_text(yaml.safe_dump(settings, sort_keys=False))

    def repro(self, *names: str) -> str:
        """Runs stages; what they printed. A stage finds what it depends on, and leaves what it says it makes."""
        printed = ""
        for name in names:
            stage = self.stages[name]
            assert [path for path in stage["deps"] if not (self.folder / path).exists()] == []
            printed += self.run("bash", "-c", stage["cmd"]).stdout
            made = [*_paths(stage["outs"]), *_paths(stage.get("metrics", []))]
            assert [path for path in made if not (self.folder / path).exists()] == []
        return printed

    def run(self, *words: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
        """A command in the repository, whose environment is the one of these tests."""
        done = subprocess.run(
            words, cwd=self.folder, env=self.surroundings(**more), capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{' '.join(words)}:\n{done.stdout}{done.stderr}"
        return done

    def pytest(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """The repository's own tests; a skipped one is no answer, so it counts as failed."""
        done = self.run("pytest", "-q", "-rs", "-p", "no:cacheprovider", *words, **more)
        assert "skipped" not in done.stdout, done.stdout
        return done

    @contextmanager
    def front(self, **model: str) -> Iterator[str]:
        """The FastAPI app on a free port, asking the Model that MODEL_URL and its like name; its address."""
        [port] = free_ports(1)
        environment = self.surroundings(**model)
        environment["PYTHONPATH"] = f"src:app:{environment['PYTHONPATH']}"
        command = [str(BIN / "uvicorn"), "main:app", "--port", str(port), "--log-level", "warning"]
        process = subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            url = f"http://127.0.0.1:{port}"
            _until_it_answers(url, process)
            yield url
        finally:
            process.kill()
            process.wait()

    def surroundings(self, **more: str) -> dict[str, str]:
        """The environment of a command in it."""
        ours = surroundings(PATH=f"{BIN}:{os.environ['PATH']}", NO_PROXY="*", HOME=str(self.folder.parent))
        return {**ours, "PYTHONPATH": str(ROOT / "platform" / "src"), **self.environment, **more}


def new_course(folder: Path, name: str = "census-income", **environment: str) -> Course:
    """A fresh repository, made to learn quickly."""
    write_repository(name, folder)
    course = Course(folder, environment)
    course.learn_quickly()
    return course


def course_under_git(folder: Path, name: str, bucket: str, **environment: str) -> Course:
    """A fresh repository with its first commit, whose environment is set up and whose remote is in `bucket`.

    DVC, act and their like are in the folder that MODELYARD_WORKFLOW_BIN names.
    """
    venv = folder.parent / "venv" / "bin"
    programs = f"{venv}:{BIN}:{os.environ['MODELYARD_WORKFLOW_BIN']}:{os.environ['PATH']}"
    made = new_course(folder, name, PATH=programs, VENV=str(venv.parent), **SOMEBODY, **environment)
    remote = folder / ".dvc" / "config"
    remote.write_text(remote.read_text().replace("s3://modelyard/", f"s3://{bucket}/"))
    venv.mkdir(parents=True)
    (venv / "modelyard").write_text(f'#!/bin/sh\nexec {BIN / "modelyard"} "$@"\n')
    (venv / "modelyard").chmod(0o755)
    os.utime(venv / "modelyard", (_NEVER_OUTDATED, _NEVER_OUTDATED))
    made.run("git", "init", "--quiet", "--initial-branch", "main")
    made.run("git", "add", ".")
    made.run("git", "commit", "--quiet", "--message", "The template")
    return made


def _paths(listed: list[Any]) -> list[str]:
    """Paths of outputs, of which some have options."""
    return [path for item in listed for path in (item if isinstance(item, dict) else [item])]


def _until_it_answers(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, trust_env=False, timeout=5)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    process.kill()
    raise RuntimeError(f"the front did not start: {process.stderr and process.stderr.read()}")
