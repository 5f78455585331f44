"""Limits of the processes that touch a model: memory on a CPU; on a GPU none that would stop CUDA."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.inference.benchmark import BenchmarkPlan, Subject
from modelyard.builder.inference.predict import Question, ask
from modelyard.builder.inference.sandbox import WorkerDied, confined
from modelyard.builder.inference.worker import WorkerLost
from modelyard.errors import UnsupportedModel
from tests.support.artifacts import onnx_models as models

GIB = 1 << 30


def reserving(folder: Path, *, gpu: bool) -> dict[str, Any]:
    """What a process met that may use 1 GiB and maps 8 of them."""
    result = folder / "result.json"
    return confined("tests.support.machine.reserving", [str(result), str(8 * GIB)], result, 60, memory=GIB, gpu=gpu)


def test_a_process_on_the_cpu_gets_no_more_addresses_than_memory(tmp_path: Path) -> None:
    assert reserving(tmp_path, gpu=False)["mapped"] is False


def test_a_process_on_a_gpu_may_map_more_than_there_is_as_cuda_does(tmp_path: Path) -> None:
    assert reserving(tmp_path, gpu=True)["mapped"] is True


def test_what_has_no_limit_is_ended_before_the_builder_when_memory_runs_out(tmp_path: Path) -> None:
    own = int(Path("/proc/self/oom_score_adj").read_text())

    assert reserving(tmp_path, gpu=True)["oomScore"] == 1000
    assert reserving(tmp_path, gpu=False)["oomScore"] == own


@pytest.mark.parametrize("gpu", [False, True])
def test_neither_leaves_a_core_dump(tmp_path: Path, gpu: bool) -> None:
    assert reserving(tmp_path, gpu=gpu)["coreLimit"] == 0


@pytest.fixture
def model(tmp_path: Path) -> Path:
    np.savez(tmp_path / "inputs.npz", x=np.ones((1, 3), np.float32))
    return models.saved(models.doubling(), tmp_path / "model.onnx")


def test_a_model_asked_on_a_gpu_is_not_held_to_the_limit(model: Path) -> None:
    def asked(*, gpu: bool) -> None:
        question = Question(model.with_name("inputs.npz"), 1, True, gpu=gpu, memory=1 << 20)
        ask(model, question, model.parent / "scratch", 60)

    with pytest.raises(WorkerDied):
        asked(gpu=False)
    with pytest.raises(UnsupportedModel, match="does not run it on the GPU"):  # it came as far as the runtime
        asked(gpu=True)


def test_a_model_timed_on_a_gpu_is_not_held_to_the_limit(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.builder.inference.sandbox.memory_limit", lambda: 1 << 20)

    def opened(*, gpu: bool) -> str:
        deadline = time.monotonic() + 60
        plan = BenchmarkPlan(model.with_name("inputs.npz"), (1,), True, threads=1, seed=1, deadline=deadline, gpu=gpu)
        worker = plan.start(Subject("original", model), model.parent / "scratch" / "job.json")
        try:
            worker.opened()
        except WorkerLost as lost:
            return str(lost)
        finally:
            worker.end()
        return "opened"

    assert opened(gpu=False).startswith("while it was timed, it ")  # and in which way, depends on the allocator
    assert "does not run it on the GPU" in opened(gpu=True)
