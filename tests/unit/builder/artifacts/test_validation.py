"""Batching by evidence, samples that work, and quality against the author's own evaluation set."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from onnx import helper

from modelyard.builder.artifacts.scalars import without_scalars
from modelyard.builder.artifacts.validation import findings, gather
from modelyard.builder.evaluation.evaluation_set import copy_evaluation, read_arrays
from modelyard.builder.inspection.model_file import inspect
from modelyard.errors import HostFailure, InvalidEntry, UnsupportedModel
from tests.support.artifacts import onnx_models as models


def a_folder(path: Path, proto: Any, arrays: dict[str, Any] | None = None) -> Path:
    without_scalars(proto)
    models.saved(proto, path / "model.onnx")
    if arrays is not None:
        np.savez(path / "eval.npz", **arrays)
    return path


@pytest.mark.parametrize(
    ("proto", "reason"),
    [
        (models.centring(), "output 'y' of a row depends on the row beside it"),
        (models.remembering(), "dimension 0 of input 'state' is fixed to 2"),
        (models.scaled_by_scalar(), "dimension 0 of input 'x' is fixed to 1"),
        (models.doubling((1, 3)), "dimension 0 of input 'x' is fixed to 1"),
        (models.doubling(("n", "n")), "two rows together fail"),
    ],
    ids=["rows mixed", "state in dimension 1", "scalars", "batch fixed to 1", "square"],
)
def test_a_model_that_cannot_be_batched_is_not(tmp_path: Path, proto: Any, reason: str) -> None:
    if reason == "two rows together fail":
        proto = models.model(
            [models.helper.make_node("MatMul", ["x", "x"], ["y"])],
            [models.value("x", ("n", "n"))],
            [models.value("y", ("n", "n"))],
        )

    found = gather(a_folder(tmp_path, proto))

    assert found["batchable"] is False
    assert reason in found["reason"]


@pytest.mark.parametrize(
    "proto",
    [models.doubling(), models.summing(), models.several_dynamic(), models.echoing(), models.looking_up()],
    ids=["vectors", "one number a row", "images of any size", "strings", "tokens"],
)
def test_a_model_whose_rows_do_not_meet_is_batchable(tmp_path: Path, proto: Any) -> None:
    assert gather(a_folder(tmp_path, proto))["batchable"] is True


def test_the_sample_is_kept_with_the_answer_of_onnxruntime(tmp_path: Path) -> None:
    gather(a_folder(tmp_path, models.doubling()))

    proof = read_arrays(tmp_path / "proof.npz")
    assert proof["input:x"].shape == (1, 3)
    assert np.allclose(proof["output:y"], 2 * proof["input:x"])


def test_two_builds_try_the_same_sample(tmp_path: Path) -> None:
    samples = []
    for run in ("a", "b"):
        gather(a_folder(tmp_path / run, models.doubling()))
        samples.append(read_arrays(tmp_path / run / "proof.npz")["input:x"])

    assert np.array_equal(samples[0], samples[1])


def test_an_input_that_no_invention_fits_is_asked_for(tmp_path: Path) -> None:
    proto = models.looking_up()
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 2
    reshape = models.helper.make_node("Reshape", ["ids", "seven"], ["ids7"])
    proto.graph.node.insert(0, reshape)
    proto.graph.node[1].input[1] = "ids7"
    proto.graph.initializer.append(models.numpy_helper.from_array(np.array([7, 7]), "seven"))

    with pytest.raises(InvalidEntry, match=r"add an eval\.npz with a real one beside it \(onnxruntime said: "):
        gather(a_folder(tmp_path, proto))


def test_the_authors_own_rows_are_the_sample_and_all_of_them_are_compared(tmp_path: Path) -> None:
    rows = np.arange(300, dtype=np.float32).reshape(100, 3)

    found = gather(a_folder(tmp_path, models.doubling(), {"input:x": rows, "output:y": 2 * rows}))

    assert found["quality"] == {"rows": 100, "largestDifference": {"y": 0.0}}
    assert np.array_equal(read_arrays(tmp_path / "proof.npz")["input:x"], rows[:1])


def test_the_accuracy_of_a_classifier_is_measured_without_being_asked_for(tmp_path: Path) -> None:
    rows = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]
    arrays = {"input:x": rows, "output:y": 2 * rows}
    folder = a_folder(tmp_path, models.doubling(), arrays | {"labels": np.array([0, 1, 2, 0, 0])})

    assert gather(folder)["quality"] == {
        "rows": 5, "largestDifference": {"y": 0.0}, "metric": "accuracy", "value": 0.8,
    }  # fmt: skip
    assert "metric" not in gather(folder, deterministic=False)["quality"]
    np.savez(folder / "eval.npz", **arrays, labels=np.array([0.5, 1, 2, 0, 1]))
    assert "metric" not in gather(folder)["quality"], "numbers are no classes"
    np.savez(folder / "eval.npz", **arrays | {"output:y": 3 * rows}, labels=np.array([0, 1, 2, 0, 0]))
    with pytest.raises(InvalidEntry, match="output 'y' is not what"):
        gather(folder)


def test_a_metric_that_eval_npz_cannot_tell_is_a_sentence(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, models.doubling(), {"x": ROW, "y": 2 * ROW})
    (folder / "judgement.json").write_text('{"metric": "accuracy", "bound": 0.9}')

    with pytest.raises(
        InvalidEntry, match=r"accuracy is computed from labels, and eval\.npz has none; add an array labels"
    ):
        findings(folder)


def test_strings_and_scalars_may_be_evaluated_too(tmp_path: Path) -> None:
    words = np.array([["grün"], ["b"]])
    found = gather(a_folder(tmp_path / "text", models.echoing(), {"input:text": words, "output:same": words}))
    assert found["quality"]["rows"] == 2

    row = np.ones((1, 3), np.float32)
    arrays = {"input:x": row, "input:rate": np.float32(3), "output:y": 3 * row, "output:top": np.float32(3)}
    found = gather(a_folder(tmp_path / "scalar", models.scaled_by_scalar(), arrays))
    assert found["quality"]["largestDifference"] == {"y": 0.0, "top": 0.0}


ROW = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"input:x": ROW[:, :2], "output:y": ROW}, r"input:x has shape \[2, 2\], the model has \[-1, 3\]; mend it"),
        ({"input:x": ROW[0], "output:y": ROW}, r"input:x has shape \[3\]"),
        ({"input:x": ROW, "output:y": ROW}, r"output 'y' is not what eval\.npz expects \(it differs by up to 1\)"),
        ({"input:x": ROW, "output:y": 2 * ROW[:1]}, r"shape \[2, 3\] instead of \[1, 3\]"),
        ({"input:x": ROW.astype(str), "output:y": ROW}, "input:x holds object, the model has FP32"),
        (
            {"input:x": ROW * np.float64(1e39), "output:y": ROW},
            r"input:x holds 1e\+39, which is beyond FP32, the model's",
        ),
        ({"z": ROW, "output:y": ROW}, "has no array 'input:x'; add it"),
        ({"x": ROW, "y": ROW}, r"output 'y' is not what eval\.npz expects"),
        ({"x": ROW[:0], "y": ROW[:0]}, r"eval\.npz has no rows: input:x is empty; give it at least one"),
        ({"input:x": ROW}, "expects no output; add one of"),
        ({"input:x": ROW, "output:y": ROW, "output:z": ROW}, "holds 'output:z', which the model does not have"),
        ({"input:x": ROW, "output:y": 2 * ROW, "slice:sex": np.array(["f"])}, r"slice:sex has shape \[1\]; .*: \[2\]"),
        ({"input:x": ROW, "output:y": 2 * ROW, "labels": np.zeros(3, int)}, r"labels has shape \[3\]; .*: \[2, "),
        ({"input:x": ROW, "output:y": 2 * ROW, "labels": np.array(1)}, r"labels has shape \[\]; .*: \[2, "),
        ({"input:x": np.array([[{}]], dtype=object), "output:y": ROW}, "cannot be read: .* without objects"),
    ],
)
def test_an_evaluation_set_that_does_not_fit_is_refused(tmp_path: Path, arrays: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidEntry, match=sentence):
        gather(a_folder(tmp_path, models.doubling(), arrays))


def test_whole_numbers_of_an_evaluation_set_do_not_wrap(tmp_path: Path) -> None:
    ends = [models.value("x", ("n", 1), 6)], [models.value("y", ("n", 1), 6)]
    proto = models.model([helper.make_node("Identity", ["x"], ["y"])], *ends)
    ids = np.array([[2**40 + 1], [2]])

    with pytest.raises(InvalidEntry, match="input:x holds 1099511627777, which is beyond INT32, the model's; mend it"):
        gather(a_folder(tmp_path, proto, {"x": ids, "y": ids}))


def adding(age: str | None, income: str | None) -> Any:
    ends = [models.value("age", (age, 1)), models.value("income", (income, 1))]
    return models.model([helper.make_node("Add", ["age", "income"], ["sum"])], ends, [models.value("sum", (None, 1))])


@pytest.mark.parametrize(
    ("names", "rows", "sentence"),
    [
        (("n", "n"), (4, 3), "needs as many rows .*: input:age has 4, input:income has 3; correct it"),
        (("n", "n"), (4, 1), "input:age has 4, input:income has 1; correct it"),
        ((None, None), (4, 1), "input:age has 4, input:income has 1; correct it"),
        (("n", "n"), (0, 0), "has no rows"),
        (("n", "m"), (4, 3), r"does not take what eval\.npz gives it \(input:age \[4, 1\], input:income \[3, 1\]\)"),
    ],
)
def test_inputs_with_other_rows_are_refused_by_name(
    tmp_path: Path, names: tuple[str | None, str | None], rows: tuple[int, int], sentence: str
) -> None:
    arrays = {"age": np.ones((rows[0], 1), np.float32), "income": np.ones((rows[1], 1), np.float32)}

    with pytest.raises(InvalidEntry, match=sentence):
        gather(a_folder(tmp_path, adding(*names), {**arrays, "sum": 2 * arrays["age"]}))


def test_lengths_of_their_own_need_no_equal_rows(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["age", "t"], ["sum"]), helper.make_node("Transpose", ["income"], ["t"])]
    ends = [models.value("age", ("n", 1)), models.value("income", ("m", 1))]
    proto = models.model(nodes[::-1], ends, [models.value("sum", ("n", "m"))])
    arrays = {"age": np.ones((4, 1), np.float32), "income": np.ones((3, 1), np.float32)}

    found = gather(a_folder(tmp_path, proto, {**arrays, "sum": np.ones((4, 3), np.float32)}))

    assert found["quality"]["largestDifference"] == {"sum": 0.0}


def test_the_models_own_names_are_enough(tmp_path: Path) -> None:
    path = a_folder(tmp_path, models.doubling(), {"x": ROW, "output:y": 2 * ROW, "labels": np.ones(2)})

    copy_evaluation(path / "eval.npz", inspect(path / "model.onnx"), tmp_path / "copy.npz")
    copy_evaluation(tmp_path / "copy.npz", inspect(path / "model.onnx"), tmp_path / "same.npz")

    assert gather(path)["quality"]["rows"] == 2
    assert set(read_arrays(tmp_path / "copy.npz")) == {"input:x", "output:y", "labels"}
    assert (tmp_path / "same.npz").read_bytes() == (tmp_path / "copy.npz").read_bytes()


def test_groups_of_rows_are_no_tensors(tmp_path: Path) -> None:
    groups = {"slice:sex": np.array(["f", "m"]), "slice:age": np.array([1, 2])}
    arrays = {"input:x": ROW, "output:y": 2 * ROW, **groups}

    found = gather(a_folder(tmp_path, models.doubling(), arrays))

    assert found["quality"]["rows"] == 2


def test_an_evaluation_set_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, models.doubling())
    (folder / "eval.npz").write_text("nonsense")

    with pytest.raises(InvalidEntry, match=r"eval\.npz cannot be read"):
        gather(folder)


@pytest.mark.parametrize("seed", range(40))
def test_an_evaluation_set_with_damaged_bytes_is_refused_in_a_sentence(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    path = a_folder(tmp_path, models.doubling()) / "eval.npz"
    np.savez_compressed(path, x=random.random((50, 3)), y=random.random((50, 3)), labels=np.array(["a", "b"] * 25))
    content = bytearray(path.read_bytes())
    for place in random.integers(len(content), size=8):
        content[place] = random.integers(256)
    path.write_bytes(content)

    with pytest.raises(InvalidEntry, match=r"eval\.npz"):
        gather(tmp_path)


def test_an_unknown_operator_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"onnxruntime cannot run this model: .*Frobnicate"):
        findings(a_folder(tmp_path, models.with_unknown_operator()))


def test_what_goes_wrong_in_the_other_process_is_told_as_if_it_went_wrong_here(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, models.doubling(), {"input:x": ROW, "output:y": ROW})

    with pytest.raises(InvalidEntry, match=r"it differs by up to 1\)"):
        findings(folder)


def test_a_model_that_devours_memory_does_not_take_the_builder_with_it(tmp_path: Path) -> None:
    shape = models.numpy_helper.from_array(np.array([1, 1 << 40]), "shape")
    nodes = [
        models.helper.make_node("Expand", ["x", "shape"], ["big"]),
        models.helper.make_node("ReduceSum", ["big"], ["y"]),
    ]
    proto = models.model(nodes, [models.value("x", ("b", 1))], [models.value("y", (1, 1))], [shape])

    with pytest.raises(HostFailure, match=r"memory") as failed:
        findings(a_folder(tmp_path, proto))
    assert failed.value.reason == "OutOfMemory"


def test_a_model_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(HostFailure, match=r"more than 0\.01 s; an eval\.npz with a small input") as failed:
        findings(a_folder(tmp_path, models.doubling()), seconds=0.01)
    assert failed.value.reason == "TimedOut"


def test_labels_declared_as_one_and_given_a_row_are_batched_and_declared_so(tmp_path: Path) -> None:
    assert gather(a_folder(tmp_path, models.declaring_one()))["batchable"] is True

    assert not isinstance(inspect(tmp_path / "model.onnx").outputs[0].dims[0], int)  # type: ignore[index]


def test_what_a_file_declares_of_its_outputs_is_not_held_against_an_evaluation_set(tmp_path: Path) -> None:
    proto = models.declaring_one()
    rows = np.ones((5, proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value), np.float32)
    name = proto.graph.output[0].name
    expected = ort.InferenceSession(proto.SerializeToString()).run([name], {"x": rows})[0]

    found = gather(a_folder(tmp_path, proto, {"x": rows, name: expected}))

    assert (found["quality"]["rows"], found["batchable"]) == (5, True)


def noisy(outputs: str = "y") -> Any:
    nodes = [
        models.helper.make_node("RandomNormalLike", ["x"], ["r"]),
        models.helper.make_node("Add", ["x", "r"], ["y"]),
        models.helper.make_node("Neg", ["x"], ["z"]),
    ]
    return models.model(nodes, [models.value("x", ("n", 3))], [models.value(name, ("n", 3)) for name in outputs])


def test_noise_is_served_unbatched_and_only_what_is_sure_is_held_to_the_evaluation_set(tmp_path: Path) -> None:
    arrays = {"input:x": ROW, "output:y": ROW, "output:z": -ROW}

    found = gather(a_folder(tmp_path, noisy("yz"), arrays))

    assert (found["batchable"], found["chance"]) == (False, ["y"])
    assert found["reason"] == "'y' depends on chance, so nothing shows that rows are apart"
    assert found["quality"]["largestDifference"] == {"z": 0.0}
    with pytest.raises(InvalidEntry, match="output 'z' is not what"):
        gather(a_folder(tmp_path / "wrong", noisy("yz"), {**arrays, "output:z": ROW}))


@pytest.mark.parametrize("tried", [gather, findings], ids=["here", "in a process of its own"])
def test_of_what_its_author_calls_not_deterministic_no_output_is_sure(tmp_path: Path, tried: Any) -> None:
    folder = a_folder(tmp_path, models.doubling(), {"input:x": ROW, "output:y": 5 * ROW})

    found = tried(folder, deterministic=False)

    assert (found["batchable"], found["chance"]) == (False, ["y"])
    assert found["quality"]["largestDifference"] == {}
    with pytest.raises(InvalidEntry, match="output 'y' is not what"):
        tried(folder)


def test_sizes_that_chance_decides_are_open(tmp_path: Path) -> None:
    nodes = [
        models.helper.make_node("RandomUniformLike", ["x"], ["r"], low=-1.0),
        models.helper.make_node("Relu", ["r"], ["p"]),
        models.helper.make_node("NonZero", ["p"], ["y"]),
    ]
    proto = models.model(nodes, [models.value("x", (1, 4096))], [models.value("y", (2, "k"), models.INT64)])

    assert gather(a_folder(tmp_path, proto))["outputShapes"] == {"y": [2, -1]}


def test_an_output_that_turns_out_to_be_a_scalar_gets_one_element(tmp_path: Path) -> None:
    proto = models.scaled_by_scalar()
    proto.graph.output[1].type.tensor_type.ClearField("shape")

    assert gather(a_folder(tmp_path, proto))["outputShapes"] == {"y": [1, 3], "top": [1]}


@pytest.mark.parametrize("width", [13, 17, 300])
def test_a_width_behind_a_reshape_is_tried_because_a_weight_has_it(tmp_path: Path, width: int) -> None:
    weight = models.numpy_helper.from_array(np.ones((width, 1), np.float32), "w")
    shape = models.numpy_helper.from_array(np.array([0, width]), "shape")
    nodes = [
        models.helper.make_node("Reshape", ["x", "shape"], ["z"]),
        models.helper.make_node("MatMul", ["z", "w"], ["y"]),
    ]
    ends = [models.value("x", ("n", "k"))], [models.value("y", ("n", 1))]

    gather(a_folder(tmp_path, models.model(nodes, *ends, [weight, shape])))

    assert read_arrays(tmp_path / "proof.npz")["input:x"].shape == (1, width)
