"""Whether rows meet is asked with a changed neighbour; rounding that a model amplifies is no neighbour's doing."""

import re
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

from modelyard.builder.artifacts import perturbed_weights
from modelyard.builder.artifacts.batching import against_batching, nudged
from modelyard.errors import HostFailure
from tests.support.artifacts import onnx_models as models

RANDOM = np.random.default_rng(0)
ROWS = [{"x": RANDOM.random((1, 4)).astype(np.float32)} for _ in range(4)]


def never(_: int) -> None:
    return None


def verdict(run: Any, rows: Any = ROWS, perturbed: Any = never) -> str | None:
    return against_batching(run, rows, perturbed)


def amplifying(factor: float, seen: int = 2) -> Any:
    """y = factor * x, with rounding that depends on how many rows there are, as other kernels bring it."""

    def run(feed: dict[str, Any]) -> dict[str, Any]:
        x = feed["x"].astype(np.float64)
        rounding = 1e-7 if len(x) == seen else 0.0
        return {"y": (factor * (x + rounding) - factor * 0.5).astype(np.float32)}

    return run


def test_rounding_is_judged_by_how_much_the_model_amplifies_it() -> None:
    """1e-7 becomes 4e-3, beside answers of which some are near zero."""
    near_zero = [{"x": row["x"] * 1e-3 + 0.5} for row in ROWS]

    assert verdict(amplifying(4e4), near_zero) is None


@pytest.mark.parametrize("part", [1.0, 1e-3, 1e-5])
def test_however_little_of_the_neighbour_comes_through_it_is_found(part: float) -> None:
    def run(feed: dict[str, Any]) -> dict[str, Any]:
        return {"y": feed["x"] + np.float32(part) * feed["x"].mean(axis=0, keepdims=True)}

    assert verdict(run) == "output 'y' of a row depends on the row beside it"


def test_a_neighbour_before_the_row_is_changed_too() -> None:
    """A running sum: row 0 never sees its neighbour, row 1 does."""
    assert (
        verdict(lambda feed: {"y": np.cumsum(feed["x"], axis=0)}) == "output 'y' of a row depends on the row beside it"
    )


def test_what_depends_on_the_number_of_rows_alone_is_found() -> None:
    found = verdict(lambda feed: {"y": feed["x"] / len(feed["x"])})

    assert found == "output 'y' of two rows together differs from the rows alone"


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (lambda x: x[:8], "output 'y' gives [8, 4] for 64 rows together, not 64 rows"),
        (lambda x: x + (len(x) > 10), "output 'y' of 64 rows together differs from the rows alone"),
        (lambda x: np.where(np.arange(len(x))[:, None] < 32, x, 0), "of 64 rows together differs from the rows alone"),
        (lambda x: x + np.zeros((8, 1))[: len(x)], "64 rows together fail: operands could not be broadcast"),
        (lambda x: x, None),
    ],
    ids=["room for eight", "more than ten", "the last rows", "a table of eight", "apart"],
)  # fmt: skip
def test_as_many_rows_as_are_served_at_once_are_tried(run: Any, reason: str | None) -> None:
    def asked(feed: dict[str, Any]) -> dict[str, Any]:
        return {"y": run(feed["x"][:, :4]).astype(np.float32)}

    assert (reason or "None") in str(against_batching(asked, ROWS, never, 64))
    assert against_batching(asked, ROWS, never) is None
    large = [{"x": np.repeat(row["x"], 5000, axis=1)} for row in ROWS]
    assert against_batching(asked, large, never, 64) is None, "too large to be tried"


def test_a_class_that_tips_over_by_rounding_is_forgiven_only_where_the_last_bits_tip_it() -> None:
    def classes(threshold: float) -> Any:
        return lambda feed: {"y": (feed["x"][:, 0] + (1e-7 if len(feed["x"]) == 2 else 0) > threshold).astype(np.int64)}

    on_the_edge = float(ROWS[0]["x"][0, 0])
    assert verdict(classes(on_the_edge + 5e-8)) is None
    assert verdict(lambda feed: {"y": np.full(len(feed["x"]), len(feed["x"]))}) is not None


def test_a_model_that_shows_nothing_is_not_batched() -> None:
    chaotic = amplifying(1e9)
    rows = [{"x": row["x"] * 1e-7 + 0.5} for row in ROWS]

    assert "nothing shows that rows are apart" in str(verdict(chaotic, rows))


def test_equal_rows_are_no_evidence_so_others_are_made_of_them() -> None:
    def mixing(feed: dict[str, Any]) -> dict[str, Any]:
        return {"y": feed["x"] - feed["x"].max(axis=0, keepdims=True)}

    one = [{"x": np.ones((1, 4), np.float32)}] * 5
    assert verdict(mixing, one) == "output 'y' of a row depends on the row beside it"
    assert verdict(lambda feed: {"y": feed["x"]}, one) is None
    tokens = [{"x": np.zeros((1, 16), np.int64)}]
    assert verdict(mixing, tokens) == "output 'y' of a row depends on the row beside it"


def test_without_three_different_inputs_nothing_is_shown() -> None:
    flags = [{"x": np.array([["same"]], dtype=object)}]

    def strict(feed: dict[str, Any]) -> dict[str, Any]:
        if set(feed["x"].ravel()) != {"same"}:
            raise ValueError("unknown word")
        return {"y": feed["x"]}

    assert str(verdict(strict, flags)).startswith("no three different inputs are known")
    assert verdict(lambda feed: {"y": feed["x"]}, flags) is None


def picky(feed: dict[str, Any], error: Exception) -> dict[str, Any]:
    if not any(np.array_equal(row["x"], part) for part in (feed["x"][:1], feed["x"][1:]) for row in ROWS):
        raise error
    return {"y": feed["x"]}


def test_variations_the_model_refuses_are_left_out_and_want_of_memory_is_not_the_models() -> None:
    found = verdict(lambda feed: picky(feed, ValueError("out of range")), ROWS[:1])
    assert str(found).startswith("no three different inputs are known")

    with pytest.raises(HostFailure):
        verdict(lambda feed: picky(feed, MemoryError("bad_alloc")), ROWS[:1])


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (lambda feed: {"y": feed["x"].sum()}, r"gives \[\] for one row"),
        (lambda feed: {"y": feed["x"].T}, r"gives \[4, 1\] for one row"),
        (lambda feed: {"y": feed["x"][:1]}, r"gives \[1, 4\] for two rows together, not two rows"),
    ],
)
def test_outputs_without_a_row_for_each_row_are_named(run: Any, reason: str) -> None:
    assert re.search(reason, str(verdict(run)))


def test_lengths_that_follow_the_longest_row_depend_on_the_neighbour() -> None:
    def run(feed: dict[str, Any]) -> dict[str, Any]:
        longest = int(feed["x"].max() * 100)
        return {"y": np.zeros((len(feed["x"]), longest), np.float32)}

    assert verdict(run) == "output 'y' of a row depends on the row beside it"


def test_answers_that_are_nowhere_numbers_are_the_same() -> None:
    def run(feed: dict[str, Any]) -> dict[str, Any]:
        return {"y": np.where(feed["x"] > 0.5, np.inf, np.nan).astype(np.float32)}

    assert verdict(run) is None


def test_weights_amplify_what_inputs_without_fractions_cannot(tmp_path: Any) -> None:
    """Tokens have no last bits: those of the table stand in for them."""
    table = numpy_helper.from_array((0.5 + 1e-4 * RANDOM.random((8, 4))).astype(np.float32), "table")
    nodes = [
        helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(np.float32(0.5), "half")),
        helper.make_node("Gather", ["table", "x"], ["rows"]),
        helper.make_node("Mul", ["rows", "half"], ["y"]),
    ]
    proto = models.model(nodes, [models.value("x", ("b", 2), models.INT64)], [models.value("y", ("b", 2, 4))], [table])
    path = models.saved(proto, tmp_path / "model.onnx")

    def opened(model: Any) -> Any:
        session = ort.InferenceSession(model)
        return lambda feed: dict(zip(["y"], session.run(None, feed), strict=True))

    original, other = opened(str(path)), opened(perturbed_weights.with_other_last_bits(path, 1))
    feed = {"x": np.array([[1, 2]])}
    moved = np.abs(original(feed)["y"] - other(feed)["y"])
    assert 0 < moved.max() < 1e-6

    def rounded(run: Any) -> Any:
        def answer(feed: dict[str, Any]) -> dict[str, Any]:
            y = run(feed)["y"].astype(np.float64) + (1e-7 if len(feed["x"]) == 2 else 0)
            return {"y": (4e4 * y - 4e4 * 0.25).astype(np.float32)}

        return answer

    tokens = [{"x": np.array([[a, a + 1]])} for a in range(4)]
    assert verdict(rounded(original), tokens) is not None
    assert (
        verdict(
            rounded(original), tokens, lambda seed: rounded(opened(perturbed_weights.with_other_last_bits(path, seed)))
        )
        is None
    )


def test_the_weights_of_a_large_model_are_left_alone(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path = models.saved(models.looking_up(), tmp_path / "model.onnx")
    monkeypatch.setattr(perturbed_weights, "_MOST", 10)

    assert perturbed_weights.with_other_last_bits(path, 1) is None


def test_the_last_bits_of_half_precision_are_its_own() -> None:
    half = np.ones(64, np.float16)

    assert (nudged(np.random.default_rng(0), half) != half).all()
    assert onnx.TensorProto.FLOAT16 == 10
