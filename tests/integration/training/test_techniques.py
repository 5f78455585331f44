"""What each technique does to a network: the facts that torch wrote down, held against numpy and onnxruntime."""

import json
import subprocess
from collections import Counter
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import modelyard.builder.optimization.training
from modelyard.builder.optimization.training.environment import python

pytestmark = pytest.mark.torch
HERE = Path(__file__).resolve().parent
TINY = HERE.parents[1] / "support" / "tiny_training"
PROGRAMS = Path(modelyard.builder.optimization.training.__file__).parent

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where torch wrote the facts, once for all tests."""
    out = tmp_path_factory.mktemp("facts")
    copytree(TINY, out / "tiny")
    command = [python(), "-I", str(HERE / "torch_facts.py"), str(PROGRAMS), str(out / "tiny"), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return out


@pytest.fixture(scope="module")
def facts(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "facts.json").read_text())


@pytest.fixture(scope="module")
def arrays(folder: Path) -> Arrays:
    with np.load(folder / "facts.npz") as found:
        return {name: found[name] for name in found.files}


def weights(arrays: Arrays, network: str) -> Arrays:
    """Of its convolutions and linear layers."""
    found = {name.partition(":")[2]: array for name, array in arrays.items() if name.startswith(f"{network}:")}
    return {name: array for name, array in found.items() if name.endswith("weight") and array.ndim > 1}


def answers(path: Path, pictures: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(["logits"], {"picture": pictures})[0])


def test_half_of_the_channels_go_with_all_that_depends_on_them(facts: dict[str, Any], arrays: Arrays) -> None:
    before, after = weights(arrays, "teacher"), weights(arrays, "halved")

    assert {name: array.shape for name, array in before.items()} == {
        "first.weight": (16, 1, 3, 3), "inner.0.weight": (16, 16, 3, 3), "last.weight": (3, 16),
    }  # fmt: skip
    assert {name: array.shape for name, array in after.items()} == {
        "first.weight": (8, 1, 3, 3), "inner.0.weight": (8, 8, 3, 3), "last.weight": (3, 8),
    }  # fmt: skip
    assert arrays["halved:norm.weight"].shape == (8,)
    assert facts["parameters"] == [
        16 * 9 + 2 * 16 + 16 * 16 * 9 + 16 + 16 * 3 + 3,
        8 * 9 + 2 * 8 + 8 * 8 * 9 + 8 + 8 * 3 + 3,
    ]


def test_distillation_teaches_a_pruned_network_what_its_teacher_knows(facts: dict[str, Any]) -> None:
    losses, (pruned, taught) = facts["distilled losses"], facts["halved"]

    assert facts["teacher"] > 0.95
    assert losses[-1] < losses[0] / 3
    assert taught >= pruned
    assert taught >= facts["teacher"] - 0.03


def test_the_smallest_weights_of_all_layers_together_become_zero(arrays: Arrays) -> None:
    before = np.concatenate([array.ravel() for array in weights(arrays, "teacher").values()])
    after = np.concatenate([array.ravel() for array in weights(arrays, "sparse").values()])
    limit = np.sort(np.abs(before))[round(0.7 * before.size) - 1]

    assert np.mean(after == 0) == pytest.approx(0.7, abs=1 / before.size)
    np.testing.assert_array_equal(after, np.where(np.abs(before) > limit, before, 0))


def test_zeros_stay_zero_while_the_rest_is_trained(arrays: Arrays) -> None:
    before, after = weights(arrays, "sparse"), weights(arrays, "sparse trained")

    for name, array in before.items():
        np.testing.assert_array_equal(after[name][array == 0], 0)
        assert not np.array_equal(after[name], array)


def test_two_of_every_four_weights_along_the_inputs_are_zero(facts: dict[str, Any], arrays: Arrays) -> None:
    after = weights(arrays, "twos")

    for name in ("inner.0.weight", "last.weight"):
        fours = np.moveaxis(after[name], 1, -1).reshape(-1, 4)
        assert set(np.count_nonzero(fours, axis=1)) == {2}
    assert np.count_nonzero(after["first.weight"] == 0) == 0  # one input only
    assert facts["zeros"] == pytest.approx((2304 + 48) / 2 / (144 + 2304 + 48))


def test_the_two_of_four_that_stay_are_the_largest(arrays: Arrays) -> None:
    fours = np.abs(np.moveaxis(arrays["teacher:inner.0.weight"], 1, -1).reshape(-1, 4))
    kept = np.moveaxis(arrays["twos:inner.0.weight"], 1, -1).reshape(-1, 4) != 0

    largest = np.sort(fours, axis=1)[:, 2:].sum(axis=1)
    np.testing.assert_allclose(np.where(kept, fours, 0).sum(axis=1), largest, rtol=1e-6)


def test_an_exported_network_answers_as_in_torch_for_any_number_of_rows(folder: Path, arrays: Arrays) -> None:
    pictures, expected = arrays["sample"], arrays["teacher:answers"]

    np.testing.assert_allclose(answers(folder / "teacher.onnx", pictures), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(answers(folder / "teacher.onnx", pictures[:1]), expected[:1], rtol=1e-4, atol=1e-5)


def test_quantization_aware_training_keeps_what_was_learnt(facts: dict[str, Any], arrays: Arrays) -> None:
    spread = np.ptp(arrays["teacher:answers"])

    assert facts["qat"] >= facts["teacher"] - 0.03
    assert np.abs(arrays["qat:answers"] - arrays["teacher:answers"]).max() < 0.2 * spread
    assert not np.array_equal(arrays["qat:answers"], arrays["teacher:answers"])


def test_the_quantized_file_answers_as_torch_did_with_weights_of_8_bits(folder: Path, arrays: Arrays) -> None:
    model = onnx.load(folder / "qat.onnx")
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    fed = {name for node in model.graph.node if node.op_type in ("Conv", "Gemm", "Add") for name in node.input}
    made = {name: node.op_type for node in model.graph.node for name in node.output}
    large = [tensor for tensor in model.graph.initializer if len(tensor.dims) > 1]

    np.testing.assert_allclose(answers(folder / "qat.onnx", arrays["sample"]), arrays["qat:answers"], atol=0.02)
    assert len(large) == 3
    assert {kinds[tensor.name] for tensor in large} == {onnx.TensorProto.INT8}
    assert Counter(made.get(name, "bias") for name in fed) == {"DequantizeLinear": 7, "bias": 3}
    assert (model.ir_version, model.opset_import[0].version) == (9, 18)


def test_the_loss_of_classes_is_cross_entropy_and_softened_divergence(facts: dict[str, Any], arrays: Arrays) -> None:
    def log_softmax(values: np.ndarray) -> np.ndarray:
        return values - np.log(np.exp(values).sum(axis=1, keepdims=True))

    given, wanted = log_softmax(arrays["given"] / 3), log_softmax(arrays["wanted"] / 3)
    divergence = (np.exp(wanted) * (wanted - given)).sum(axis=1).mean()
    entropy = -log_softmax(arrays["given"])[[0, 1], [0, 2]].mean()

    assert facts["loss of classes"] == pytest.approx(0.25 * entropy + 0.75 * 9 * divergence, rel=1e-5)


def test_the_loss_of_numbers_is_the_mean_square(facts: dict[str, Any], arrays: Arrays) -> None:
    hard, soft = ((arrays["given"] - other) ** 2 for other in (1.0, arrays["wanted"]))

    assert facts["loss of numbers"] == pytest.approx(0.25 * hard.mean() + 0.75 * soft.mean(), rel=1e-5)


def test_the_same_seed_trains_the_same_network(facts: dict[str, Any]) -> None:
    assert facts["repeatable"] is True


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("weights", "weights.safetensors does not fit the module with its architecture"),
        ("no module", "module.py:no_module gave int, which is no torch.nn.Module"),
        ("no name", "module.py has no Missing that can be called"),
        ("rows", "gave no rows for 'train', or not the same number everywhere"),
        ("fx", "torch.fx cannot follow the module, which qat needs"),
        ("2:4", "no layer has a multiple of four inputs"),
        ("nothing", "no convolution and no linear layer to prune"),
    ],
)
def test_what_the_author_must_mend_is_said(facts: dict[str, Any], what: str, sentence: str) -> None:
    assert sentence in facts["refused"][what]
