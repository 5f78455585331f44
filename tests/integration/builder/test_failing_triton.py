"""A real Triton behind one that aborts: the build lasts, or says what it met; verbs end with a code of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.api.report import BuildSource
from modelyard.builder.artifacts.assemble import LOG, Artifact, AssemblyRequest, ProgressSteps, build
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.triton.install import triton_home
from modelyard.core.failure_causes import TRY_LATER
from modelyard.errors import HostFailure
from tests.support.artifacts import onnx_models as models
from tests.support.servers.failing_triton import ALWAYS, LOCK_ERROR, FailingTriton, failing_triton

ABORT = "kill -ABRT $$"


def aborting(folder: Path, times: int, monkeypatch: pytest.MonkeyPatch) -> FailingTriton:
    """The Triton of this machine, which aborts at its first starts as it was seen to on a busy machine."""
    triton = failing_triton(folder / "home", ABORT, times, words=LOCK_ERROR, real=triton_home())
    monkeypatch.setenv("MODELYARD_TRITON_HOME", str(triton.home))
    return triton


def built(folder: Path, pauses: list[float]) -> Artifact:
    source = read_source(models.saved(models.doubling(), folder / "model.onnx"))
    reported = BuildSource(kind=source.kind, name=source.name, digest=source.digest())
    return build(
        source,
        AssemblyRequest("toy", "sha256:" + "0" * 64, reported),
        folder / "out",
        ProgressSteps(sleep=pauses.append),
    )


@pytest.mark.parametrize("times", [1, 2])
def test_a_triton_that_aborts_once_or_twice_costs_a_build_only_time(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    triton, pauses = aborting(tmp_path, times, monkeypatch), list[float]()

    artifact = built(tmp_path, pauses)

    assert artifact.report.proof.server.startswith("Triton ")
    assert pauses == [3.0, 15.0][:times]
    assert len(set(triton.prefixes)) == times + 1
    assert triton.left == []


def test_a_triton_that_always_aborts_is_not_the_models_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aborting(tmp_path, ALWAYS, monkeypatch)

    with pytest.raises(HostFailure, match=r"tried 3 times: Triton failed at shared memory.*lock_exception") as failed:
        built(tmp_path, [])

    assert failed.value.reason == "SharedMemoryFailed"
    assert "lock_exception" in (tmp_path / "out" / LOG).read_text()


def test_a_sound_triton_is_started_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    triton = aborting(tmp_path, 0, monkeypatch)

    assert built(tmp_path, []).report.proof.server.startswith("Triton ")
    assert len(triton.prefixes) == 1


@pytest.mark.parametrize("verb", ["build", "serve"])
def test_a_verb_ends_with_a_code_that_says_try_later(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aborting(tmp_path, ALWAYS, monkeypatch)
    models.saved(models.doubling(), tmp_path / "model.onnx")
    impatient = "import time; sleep = time.sleep; time.sleep = lambda seconds: sleep(min(seconds, 0.1)); "

    done = subprocess.run(
        [sys.executable, "-c", f"{impatient}from modelyard.cli.main import run; run()", verb, "model.onnx"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ, timeout=120,
    )  # fmt: skip

    assert done.returncode == TRY_LATER == 75
    assert "try 2 of 3" in done.stderr
    assert "tried 3 times: Triton failed at shared memory" in done.stderr
    assert "Traceback" not in done.stderr
