"""What the machine does to Triton is tried three times with growing pauses; what the model does is final at once."""

from pathlib import Path

import pytest

from modelyard.builder.triton.attempts import PAUSES, Attempts, fresh_prefix
from modelyard.builder.triton.smoke_test import prove
from modelyard.builder.triton.v2_http import RequestBody
from modelyard.errors import HostFailure, UnsupportedModel
from tests.support.servers.failing_triton import ALWAYS, LOCK_ERROR, FailingTriton, failing_triton

FULL = "E0101 10:00:00.1 1 x.cc:1] \"failed to load 'm' version 1: Internal: No space left on device\"\n"
NO_OPERATOR = "E0101 10:00:00.1 1 x.cc:1] \"failed to load 'm' version 1: NOT_IMPLEMENTED: no NoSuchOp(1)\"\n"
ENDINGS = {
    "a lock, as it was seen": ("kill -ABRT $$", LOCK_ERROR, "SharedMemoryFailed", "lock_exception"),
    "an abort": ("kill -ABRT $$", "", "Crashed", "SIGABRT"),
    "a crash": ("kill -SEGV $$", "", "Crashed", "SIGSEGV"),
    "a bus error": ("kill -BUS $$", "", "SharedMemoryFailed", "SIGBUS"),
    "a kill": ("kill -KILL $$", "", "OutOfMemory", "SIGKILL"),
    "a full disk": ("exit 1", FULL, "DiskFull", "No space left on device"),
    "silence": ("exit 1", "", "Unexplained", "without a reason"),
}


def proved(triton: FailingTriton, folder: Path, attempts: Attempts) -> None:
    prove(triton.home, folder, "m", RequestBody(b"{}"), {}, folder / "triton.log", attempts=attempts)


@pytest.mark.parametrize(("ending", "words", "reason", "met"), ENDINGS.values(), ids=ENDINGS)
def test_a_triton_that_always_ends_badly_is_started_three_times(
    ending: str, words: str, reason: str, met: str, tmp_path: Path
) -> None:
    triton = failing_triton(tmp_path / "home", ending, ALWAYS, words=words)
    said, pauses = list[str](), list[float]()

    with pytest.raises(HostFailure, match=f"tried 3 times: Triton .*{met}") as failed:
        proved(triton, tmp_path, Attempts(said.append, pauses.append))

    assert failed.value.reason == reason
    assert pauses == list(PAUSES) == sorted(PAUSES)
    assert [sentence.rpartition("; ")[2] for sentence in said] == ["try 2 of 3 in 3 s", "try 3 of 3 in 15 s"]
    assert len(set(triton.prefixes)) == 3
    assert triton.left == []


def test_a_model_that_triton_refuses_is_asked_of_it_once(tmp_path: Path) -> None:
    triton = failing_triton(tmp_path / "home", "exit 1", ALWAYS, words=NO_OPERATOR)
    pauses = list[float]()

    with pytest.raises(UnsupportedModel, match=r"Triton cannot serve this model.*NoSuchOp"):
        proved(triton, tmp_path, Attempts(sleep=pauses.append))

    assert (pauses, len(triton.prefixes)) == ([], 1)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_step_that_fails_once_or_twice_gives_what_it_gives_at_last(failures: int) -> None:
    left, pauses = [HostFailure("Crashed", "Triton crashed.")] * failures, list[float]()

    def attempt() -> str:
        if left:
            raise left.pop()
        return "proved"

    assert Attempts(sleep=pauses.append).of(attempt) == "proved"
    assert pauses == list(PAUSES[:failures])


def test_what_would_only_be_met_again_is_not_tried_again_here() -> None:
    pauses = list[float]()

    def attempt() -> None:
        raise HostFailure("TimedOut", "trying the model took too long.")

    with pytest.raises(HostFailure, match=r"^trying the model took too long"):
        Attempts(sleep=pauses.append, lasting=frozenset({"TimedOut"})).of(attempt)
    assert pauses == []


def test_no_two_names_of_shared_memory_are_alike() -> None:
    assert len({fresh_prefix() for _ in range(100)}) == 100
