"""`modelyard retrain` as the Job of spec.retrain runs it, and as a person tries it: a real store, a recipe of numpy."""

import json
import sys
from pathlib import Path

import pytest

from modelyard.builder.optimization.training import environment
from modelyard.clients.store import S3Store
from modelyard.registry.bucket import BucketRegistry
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.recording.retrained_rows import record, write_entry
from tests.support.servers.store import StoreServer


class Command:
    """The verb over a bucket of its own, with rows that are recent enough for it."""

    def __init__(self, server: StoreServer, folder: Path) -> None:
        self.where, self.folder = server.settings(server.new_bucket()), folder
        self.store = S3Store(self.where)
        BucketRegistry(self.store).push(write_entry(folder / "entry"))

    def __call__(self, *more: str, recipe: str = "retrain.py:retrain") -> Ran:
        words = ["loans", "-n", "demo", "--entry", "loans:1", "--recipe", recipe, "--days", "9999", *more]
        environ = {environment.PYTHON: sys.executable, "MODELYARD_TERMINATION_LOG": str(self.folder / "words")}
        return modelyard_here("retrain", *words, store=self.where, cwd=self.folder, **environ)

    def left(self) -> dict[str, object]:
        """What the operator reads."""
        return json.loads((self.folder / "words").read_text())


@pytest.fixture
def command(store_server: StoreServer, tmp_path: Path) -> Command:
    return Command(store_server, tmp_path)


def test_the_jobs_command_pushes_and_leaves_the_answer(command: Command) -> None:
    record(command.store)
    said = ("--run", "run-1", "--reason", "decay", "--since", "2026-11-20T00:00:00Z")
    done = command(*said, "--trust-code", "--publish")
    assert (done.code, done.out.startswith("Pushed loans:2: accuracy")) == (0, True)
    left = command.left()
    assert (left["passed"], left["report"]["version"]) == (True, "2")  # pyright: ignore
    assert BucketRegistry(command.store).alias_version("loans", "challenger") == "2"


def test_a_person_sees_what_would_be_pushed(command: Command) -> None:
    record(command.store)
    done = command("--trust-code", "-o", "json")
    assert (done.code, json.loads(done.out)["passed"]) == (0, True)
    assert len(BucketRegistry(command.store).versions("loans")) == 1


def test_what_is_no_better_is_an_answer(command: Command) -> None:
    record(command.store)
    done = command("--trust-code", "--publish", recipe="retrain.py:same")
    assert done.code == 0, done.err
    assert command.left()["passed"] is False


def test_what_has_to_change_ends_with_two_and_its_reason(command: Command) -> None:
    done = command("--trust-code", "--publish")
    assert (done.code, "has a label that fits" in done.err) == (2, True)
    assert command.left()["reason"] == "InvalidInput"


@pytest.mark.parametrize(
    ("words", "says"), [((), "--trust-code"), (("--trust-code", "--since", "yesterday"), "is no moment")]
)
def test_words_that_cannot_be_meant_are_refused(command: Command, words: tuple[str, ...], says: str) -> None:
    done = command(*words)
    assert (done.code, says in done.err) == (2, True)
