"""A TensorRT plan without a GPU: why it is refused here, and what reaches the two libraries where it is not.

The libraries are stand-ins (`tests.support.machine.fake_gpu`): on a GPU none of this has been run yet.
"""

import ctypes
import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.evaluation.evaluation_set import write_arrays
from modelyard.builder.inference.cuda import Cuda, library
from modelyard.builder.inference.gpu import Gpu
from modelyard.builder.inference.predict import Question, ask
from modelyard.builder.inference.sessions import Run, open_model
from modelyard.builder.inference.tensorrt_plan import PlanFacts
from modelyard.builder.inference.tensorrt_session import open_plan
from modelyard.errors import HostFailure, InvalidInput, UnsupportedModel
from tests.support.machine.fake_gpu import OUT_OF_MEMORY, FakeCudart, FakeTensorRt

H100 = Gpu("NVIDIA H100", "9.0")
PROFILES = {"x": ((1, 4), (8, 4), (64, 4))}


def has(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


without_driver = pytest.mark.skipif(has("libcuda.so.1"), reason="this machine has an NVIDIA driver")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    facts = PlanFacts(tensorrt="10.15.1", gpu="NVIDIA H100", capability="9.0", precision="fp16", profiles=PROFILES)
    (tmp_path / "model.json").write_text(facts.model_dump_json())
    (tmp_path / "model.plan").write_bytes(b"plan")
    return tmp_path / "model.plan"


def opened(plan: Path, trt: FakeTensorRt | None = None, cudart: FakeCudart | None = None) -> Run:
    there, memory = trt or FakeTensorRt(), cudart or FakeCudart()
    return open_plan(plan, lambda: H100, lambda: there, lambda: Cuda(memory))


def never() -> Any:
    raise AssertionError("TensorRT was touched")


@without_driver
def test_without_a_driver_a_plan_is_refused_before_tensorrt_is_touched(plan: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"no NVIDIA driver here \(libcuda\.so\.1 is missing\)"):
        open_plan(plan, module=never, cuda=never)

    with pytest.raises(UnsupportedModel, match="no NVIDIA driver here"):
        open_model(plan, threads=1, gpu=True)


@without_driver
def test_the_process_that_asks_a_plan_tells_why_it_has_no_answers(plan: Path, tmp_path: Path) -> None:
    question = Question(write_arrays({"x": np.zeros((1, 4), np.float32)}, tmp_path / "x.npz"), 1, True, gpu=True)

    with pytest.raises(UnsupportedModel, match="no NVIDIA driver here"):
        ask(plan, question, tmp_path / "asked", 60)


def test_without_the_package_the_sentence_says_which_version_is_needed(plan: Path) -> None:
    def absent() -> Any:
        import tensorrt_that_is_not_installed

        return tensorrt_that_is_not_installed

    with pytest.raises(UnsupportedModel, match=r"needs TensorRT 10\.15\.1, which is not installed"):
        open_plan(plan, lambda: H100, absent, never)


@pytest.mark.parametrize(
    ("gpu", "version", "sentence"),
    [
        (Gpu("NVIDIA L4", "8.9"), "10.15.1", r"built for NVIDIA H100 .* and this is NVIDIA L4 \(8\.9\)"),
        (H100, "10.16.0", r"built with TensorRT 10\.15\.1 and this is 10\.16\.0"),
    ],
)
def test_a_plan_of_another_gpu_or_version_is_not_read(gpu: Gpu, version: str, sentence: str, plan: Path) -> None:
    trt = FakeTensorRt()
    trt.__version__ = version

    with pytest.raises(UnsupportedModel, match=sentence):
        open_plan(plan, lambda: gpu, lambda: trt, never)


@pytest.mark.parametrize("record", [None, "{}", "not JSON"])
def test_a_plan_without_its_record_is_refused(record: str | None, plan: Path) -> None:
    there = plan.with_suffix(".json")
    there.unlink() if record is None else there.write_text(record)

    with pytest.raises(UnsupportedModel, match=r"record \(model\.json beside it\) is missing or damaged"):
        open_plan(plan, never, never, never)


def test_answers_come_back_for_batches_that_grow_and_shrink(plan: Path) -> None:
    run = opened(plan)

    for rows in (1, 64, 3):
        x = np.random.default_rng(rows).normal(size=(rows, 4)).astype(np.float32)
        answer = run({"x": x})
        assert list(answer) == ["y"]
        np.testing.assert_array_equal(answer["y"], 2 * x)


def test_an_answer_stays_as_it_is_when_the_next_one_comes(plan: Path) -> None:
    run = opened(plan)

    first = run({"x": np.ones((1, 4), np.float32)})["y"]
    run({"x": np.zeros((1, 4), np.float32)})

    assert first.tolist() == [[2, 2, 2, 2]]


@pytest.mark.parametrize(
    ("kind", "numpys"),
    [
        ("FLOAT", "float32"),
        ("HALF", "float16"),
        ("INT8", "int8"),
        ("UINT8", "uint8"),
        ("INT32", "int32"),
        ("INT64", "int64"),
        ("BOOL", "bool"),
    ],
)
def test_element_types_are_numpys(kind: str, numpys: str, plan: Path) -> None:
    x = np.array([[0, 1, 1, 0]], numpys)

    answer = opened(plan, FakeTensorRt(kind))({"x": x})["y"]

    assert answer.dtype == np.dtype(numpys)
    assert answer.tolist() == (x + x).tolist()


def test_wider_floats_and_transposed_arrays_become_what_the_plan_takes(plan: Path) -> None:
    x = np.arange(8, dtype=np.float64).reshape(4, 2).T

    answer = opened(plan)({"x": x})["y"]

    assert answer.dtype == np.float32
    np.testing.assert_array_equal(answer, 2 * x)


def test_no_rows_of_a_tensor_need_no_memory_and_no_exception(plan: Path) -> None:
    assert opened(plan, FakeTensorRt(shape=(0,)))({"x": np.zeros((2, 0), np.float32)})["y"].shape == (2, 0)


@pytest.mark.parametrize(
    ("feed", "sentence"),
    [
        ({}, "no array for the input 'x'"),
        ({"x": np.zeros((65, 4), np.float32)}, r"has the shape \[65, 4\], and the plan takes \[1, 4\] to \[64, 4\]"),
        ({"x": np.array([["a"] * 4])}, "input 'x' is <U1, and the plan takes float32"),
    ],
)
def test_a_feed_that_does_not_fit_is_refused_and_the_next_one_runs(feed: Any, sentence: str, plan: Path) -> None:
    run = opened(plan)

    with pytest.raises(InvalidInput, match=sentence):
        run(feed)

    assert run({"x": np.ones((1, 4), np.float32)})["y"].tolist() == [[2, 2, 2, 2]]


def test_without_a_profile_the_sentence_gives_the_one_shape(plan: Path) -> None:
    record = plan.with_suffix(".json")
    facts = PlanFacts.model_validate_json(record.read_text())
    record.write_text(facts.model_copy(update={"profiles": {}}).model_dump_json())

    with pytest.raises(InvalidInput, match=r"has the shape \[1, 5\], and the plan takes \[1, 4\]"):
        opened(plan)({"x": np.zeros((1, 5), np.float32)})


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("deserialize", "did not read the plan: the deserialize does not fit"),
        ("context", "did not open the plan: the context does not fit"),
        ("profile", "did not take the plan's profile: the profile does not fit"),
        ("address", "did not take an address for 'x': the address does not fit"),
        ("execute", "did not run the plan: the execute does not fit"),
    ],
)
def test_what_tensorrt_declines_is_told_in_its_words(step: str, sentence: str, plan: Path, capfd: Any) -> None:
    with pytest.raises(UnsupportedModel, match=sentence):
        opened(plan, FakeTensorRt(refusing=step))({"x": np.zeros((1, 4), np.float32)})

    assert capfd.readouterr().out == ""  # a timing process answers there


def test_elements_numpy_does_not_have_are_refused(plan: Path) -> None:
    with pytest.raises(UnsupportedModel, match="'x' is of TensorRT's type BF16"):
        opened(plan, FakeTensorRt("BF16"))


def test_tensors_that_belong_on_the_cpu_are_refused(plan: Path) -> None:
    trt = FakeTensorRt()
    trt.location = trt.TensorLocation.HOST

    with pytest.raises(UnsupportedModel, match="'x' holds a shape that TensorRT wants in the CPU's memory"):
        opened(plan, trt)


def test_an_output_whose_shape_depends_on_values_is_refused(plan: Path) -> None:
    trt = FakeTensorRt()
    trt.values_decide = True

    with pytest.raises(UnsupportedModel, match="shape of the output 'y' depends on values"):
        opened(plan, trt)({"x": np.zeros((1, 4), np.float32)})


@pytest.mark.parametrize("name", ["cudaStreamCreate", "cudaMalloc", "cudaMemcpyAsync", "cudaStreamSynchronize"])
def test_every_code_of_the_gpu_is_told(name: str, plan: Path) -> None:
    with pytest.raises(HostFailure, match=rf"declined {name}: out of memory \(code 2\)"):
        opened(plan, cudart=FakeCudart({name: OUT_OF_MEMORY}))({"x": np.zeros((1, 4), np.float32)})


def test_a_code_when_memory_is_given_back_is_told_and_one_without_words_too() -> None:
    cudart = FakeCudart()
    cuda = Cuda(cudart)
    cuda.room("x", 16)
    cudart.failing = {"cudaFree": 4}

    with pytest.raises(UnsupportedModel, match=r"declined cudaFree: no words for it \(code 4\)"):
        cuda.room("x", 32)


def test_memory_is_asked_for_once_and_again_only_for_more() -> None:
    cudart = FakeCudart()
    cuda = Cuda(cudart)

    first = cuda.room("x", 1024)

    cudart.failing = {"cudaMalloc": OUT_OF_MEMORY}
    assert [cuda.room("x", size) for size in (1024, 1, 0)] == [first] * 3
    cudart.failing = {}
    larger = cuda.room("x", 2048)
    assert [len(block) for block in cudart.memory.values()] == [2048]
    assert list(cudart.memory) == [larger]


def test_memory_goes_back_with_the_last_reference(plan: Path) -> None:
    cudart = FakeCudart()
    run = opened(plan, cudart=cudart)
    run({"x": np.zeros((8, 4), np.float32)})
    held = (len(cudart.memory), len(cudart.streams))

    del run
    gc.collect()

    assert held == (2, 1)
    assert (len(cudart.memory), len(cudart.streams)) == (0, 0)


def test_without_a_runtime_library_there_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "libcudart.so.12").write_bytes(b"no library")

    with pytest.raises(UnsupportedModel, match="no CUDA runtime library"):
        library([tmp_path], [])


def test_the_oldest_library_of_the_packages_is_taken_and_what_does_not_open_is_passed_over(tmp_path: Path) -> None:
    libc = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libc.so" in line)
    for folder, name in (("cu13", "libcudart.so.13"), ("cuda_runtime", "libcudart.so.9"), ("cu", "libcudart.so.txt")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).symlink_to(libc)
    (tmp_path / "cu13" / "libcudart.so.8").write_bytes(b"no library")

    found = library(sorted(tmp_path.iterdir()), [])

    assert found._name == str(tmp_path / "cuda_runtime" / "libcudart.so.9")
