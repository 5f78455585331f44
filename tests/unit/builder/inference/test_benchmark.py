"""Timing side by side: rounds, warm processes, a machine that should be quiet, variants that fail on the way."""

import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper, numpy_helper

from modelyard.builder.inference.benchmark import BenchmarkPlan, BenchmarkResult, Subject, measure, round_seconds
from modelyard.builder.inference.host_load import MOST, CpuReading, busy_seconds, read, wait_until_quiet
from modelyard.builder.inference.probe import feeds_of, timed
from tests.support.artifacts import onnx_models as models


def chained(products: int, size: int) -> Any:
    """A row times the same matrix, again and again."""
    matrix = numpy_helper.from_array(np.eye(size, dtype=np.float32), "matrix")
    names = ["x", *(f"h{i}" for i in range(products - 1)), "y"]
    nodes = [helper.make_node("MatMul", [a, "matrix"], [b]) for a, b in pairwise(names)]
    return models.model(nodes, [models.value("x", ("n", size))], [models.value("y", ("n", size))], [matrix])


def a_plan(folder: Path, size: int = 16, **changes: Any) -> BenchmarkPlan:
    np.savez(folder / "inputs.npz", x=np.ones((8, size), np.float32))
    facts = {"batches": (1, 8), "batchable": True, "threads": 1, "seed": 1, "deadline": time.monotonic() + 60}
    return BenchmarkPlan(
        inputs=folder / "inputs.npz", **{**facts, "patience": 0.0, "turn": 0.02, "rounds": 3, **changes}
    )


def the_measure_of(folder: Path, plan: BenchmarkPlan, **protos: Any) -> BenchmarkResult:
    for name, proto in protos.items():
        models.saved(proto, folder / f"{name}.onnx")
    return measure([Subject(name, folder / f"{name}.onnx") for name in protos], plan, folder / "scratch")


def test_every_variant_is_timed_in_every_round_at_every_batch_size(tmp_path: Path) -> None:
    told: list[str] = []
    for name in ("one", "two"):
        models.saved(chained(1, 16), tmp_path / f"{name}.onnx")
    subjects = [Subject(name, tmp_path / f"{name}.onnx") for name in ("one", "two")]

    found = measure(subjects, a_plan(tmp_path), tmp_path / "scratch", told.append)

    assert (found.rounds, dict(found.lost), set(found.timings)) == (3, {}, {"one", "two"})
    assert told[-3:] == ["round 1 of 3", "round 2 of 3", "round 3 of 3"]
    for timing in found.timings.values():
        assert set(timing.latency) == {1, 8}
        assert all(0 < one.p50 <= one.p99 and one.n >= 9 for one in timing.latency.values())
        assert timing.throughput > 0
        assert timing.peak_memory > 1 << 20
    assert (found.timings["one"].speedup, found.timings["one"].speedup_spread) == (1.0, 0.0)
    assert 0.0 <= found.other_load <= 1.0


def test_speedups_refer_to_the_first_subject(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, 512)

    found = the_measure_of(tmp_path, plan, original=chained(60, 512), short=chained(1, 512))

    assert found.timings["short"].speedup > 2
    assert found.timings["short"].latency[8].p50 < found.timings["original"].latency[8].p50


def test_a_program_of_its_own_is_timed_in_the_same_rounds(tmp_path: Path) -> None:
    models.saved(chained(1, 16), tmp_path / "one.onnx")
    np.save(tmp_path / "matrix.npy", np.eye(16, dtype=np.float32))
    other = Subject("other", tmp_path / "matrix.npy", program="tests.unit.builder.optimization.numpy_program")

    found = measure([Subject("one", tmp_path / "one.onnx"), other], a_plan(tmp_path), tmp_path / "scratch")

    assert dict(found.lost) == {}
    assert found.timings["other"].latency[8].n >= 9
    assert found.timings["other"].speedup > 0


def test_a_program_of_its_own_says_why_it_cannot_open_its_model(tmp_path: Path) -> None:
    models.saved(chained(1, 16), tmp_path / "one.onnx")
    other = Subject("other", tmp_path / "missing.npy", program="tests.unit.builder.optimization.numpy_program")

    found = measure([Subject("one", tmp_path / "one.onnx"), other], a_plan(tmp_path), tmp_path / "scratch")

    assert set(found.timings) == {"one"}
    assert found.lost["other"] == "there is no missing.npy."


def test_one_that_cannot_be_opened_is_lost_and_the_others_go_on(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)

    found = the_measure_of(tmp_path, plan, good=chained(1, 16), strange=models.with_unknown_operator())

    assert set(found.timings) == {"good"}
    assert "onnxruntime cannot run it" in found.lost["strange"]


def test_one_that_fails_while_it_is_timed_is_lost_and_the_others_go_on(tmp_path: Path) -> None:
    plan = a_plan(tmp_path)

    found = the_measure_of(tmp_path, plan, good=chained(1, 16), narrow=models.doubling(("n", 4)))

    assert set(found.timings) == {"good"}
    assert "while it was timed" in found.lost["narrow"]


def test_when_the_time_is_up_only_complete_rounds_count(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, deadline=time.monotonic())

    found = the_measure_of(tmp_path, plan, good=chained(1, 16))

    assert (found.rounds, dict(found.timings)) == (0, {})


def test_a_round_takes_at_least_as_long_as_its_fewest_inferences() -> None:
    assert round_seconds(1.0, (1, 8)) > 9 * round_seconds(1.0, (1,)) / 2
    assert round_seconds(0.0, (1, 8)) > 0


def test_a_turn_asks_all_feeds_in_turn_and_at_least_three_times() -> None:
    asked: list[Any] = []

    found = timed(lambda feed: asked.append(feed["x"]) or {}, [{"x": 1}, {"x": 2}], 0.0)

    assert len(found) == 3
    assert asked == [1, 2, 1, 2, 1]  # two to warm up, three that count


def test_batches_come_from_different_places_and_short_sets_are_repeated() -> None:
    rows = np.arange(3)

    assert [feed["x"].tolist() for feed in feeds_of({"x": rows}, 1, True)] == [[0], [1], [2]]
    assert [feed["x"].tolist() for feed in feeds_of({"x": rows}, 4, True)] == [[0, 1, 2, 0]]
    assert [feed["x"].tolist() for feed in feeds_of({"x": rows}, 1, False)] == [[0, 1, 2]]


def test_idle_and_waiting_cores_are_not_busy() -> None:
    ticks = busy_seconds("cpu  100 0 50 7000 300 0 10 5 100 0\ncpu0 1 2 3") / busy_seconds("cpu  1 0 0 0 0 0 0 0 0 0")

    assert ticks == pytest.approx(165)


def a_reading(at: float, busy: float, ours: float = 0.0) -> CpuReading:
    return CpuReading(busy=busy, ours=ours, cores=2, at=at)


def test_what_the_measuring_itself_uses_is_not_somebody_elses() -> None:
    assert a_reading(0, 0, 0).others(a_reading(10, 10, 8)) == pytest.approx(0.1)
    assert a_reading(0, 0, 0).others(a_reading(10, 7, 8)) == 0.0


def test_waiting_ends_as_soon_as_the_machine_is_quiet() -> None:
    readings = iter([a_reading(0, 0), a_reading(1, 2), a_reading(2, 4), a_reading(3, 4.1)])
    pauses: list[float] = []

    share = wait_until_quiet(60, lambda: next(readings), pauses.append)

    assert share <= MOST
    assert len(pauses) == 3


def test_waiting_is_bounded_and_tells_how_busy_it_still_is() -> None:
    readings = (a_reading(n, 2 * n) for n in range(1000))
    pauses: list[float] = []

    assert wait_until_quiet(5, lambda: next(readings), pauses.append) == 1.0
    assert sum(pauses) == 5


def test_this_machine_can_be_read() -> None:
    before = read()
    sum(range(10**6))

    assert read().busy >= before.busy
    assert read().cores >= 1
