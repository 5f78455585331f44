"""The example entries that are committed, run with onnxruntime as they are."""

import re
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from modelyard.api.entry import EntryMetadata

REPO = Path(__file__).resolve().parents[3] / "model-repo"
COMMITTED = ("breast-cancer/1", "census-income/1", "census-income/2", "digits/1", "digits/2", "digits/3")
ALL = (*COMMITTED, "minilm/1", "resnet18-digits/1")
MEBIBYTE = 2**20
OPEN_INFERENCE = {"tensor(float)": "FP32", "tensor(int64)": "INT64"}
SERVED_FROM = (9, 20)  # IR and opset that onnxruntime 1.17 reads

Arrays = dict[str, np.ndarray]


@cache
def session(entry: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(REPO / entry / "model.onnx", options, providers=["CPUExecutionProvider"])


def metadata(entry: str) -> EntryMetadata:
    return EntryMetadata.model_validate(yaml.safe_load((REPO / entry / "modelyard.yaml").read_text()))


@cache
def evaluation(entry: str) -> Arrays:
    with np.load(REPO / entry / "eval.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def tensors(entry: str, kind: str) -> Arrays:
    """The evaluation set's arrays of one kind (`input` or `output`), by tensor name."""
    return {key.split(":", 1)[1]: array for key, array in evaluation(entry).items() if key.startswith(f"{kind}:")}


def answers(entry: str, inputs: Arrays) -> Arrays:
    names = [output.name for output in session(entry).get_outputs()]
    answered = session(entry).run(names, inputs)
    return {name: np.asarray(array) for name, array in zip(names, answered, strict=True)}


def digits_read(entry: str, pictures: np.ndarray) -> np.ndarray:
    return answers(entry, {"input": pictures})["logits"].argmax(axis=1)


def accuracy(entry: str) -> float:
    pictures, labels = evaluation(entry)["input:input"], evaluation(entry)["labels"]
    return float((digits_read(entry, pictures) == labels).mean())


def fails(entry: str, picture: np.ndarray) -> bool:
    try:
        answers(entry, {"input": picture[np.newaxis]})
    except InvalidArgument:
        return True
    return False


@pytest.mark.parametrize("entry", ALL)
def test_the_description_is_valid_and_names_its_own_folder(entry: str) -> None:
    described = metadata(entry)
    assert f"{described.name}/{described.version}" == entry
    assert described.metrics
    assert described.licence == "Apache-2.0"


@pytest.mark.parametrize("entry", ALL)
def test_the_card_states_the_figures_of_the_description(entry: str) -> None:
    card = (REPO / entry / "MODEL_CARD.md").read_text()
    rows = dict(re.findall(r"^\| (\w+) \| ([\d.]+) \|$", card, re.MULTILINE))
    assert {name: float(value) for name, value in rows.items()} == metadata(entry).metrics


@pytest.mark.parametrize("entry", COMMITTED)
def test_the_description_declares_the_tensors_of_the_model(entry: str) -> None:
    described, running = metadata(entry), session(entry)
    for declared, actual in ((described.inputs, running.get_inputs()), (described.outputs, running.get_outputs())):
        assert [(tensor.name, tensor.datatype, tensor.shape) for tensor in declared] == [
            (tensor.name, OPEN_INFERENCE[tensor.type], tuple(-1 if isinstance(d, str) else d for d in tensor.shape))
            for tensor in actual
        ]


@pytest.mark.parametrize("entry", COMMITTED)
def test_the_model_is_one_small_file_that_older_servers_read(entry: str) -> None:
    path = REPO / entry / "model.onnx"
    model = onnx.load(path, load_external_data=False)
    onnx.checker.check_model(model)
    assert path.stat().st_size < MEBIBYTE
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)
    assert model.ir_version <= SERVED_FROM[0]
    assert all(used.version <= SERVED_FROM[1] for used in model.opset_import)


@pytest.mark.parametrize("entry", COMMITTED)
def test_the_model_answers_what_the_evaluation_set_expects(entry: str) -> None:
    answered, expected = answers(entry, tensors(entry, "input")), tensors(entry, "output")
    assert answered.keys() == expected.keys()
    for name, array in expected.items():
        assert answered[name].dtype == array.dtype
        np.testing.assert_allclose(answered[name], array, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("entry", COMMITTED)
def test_a_batch_of_two_gets_the_answers_of_two_batches_of_one(entry: str) -> None:
    inputs = tensors(entry, "input")
    together = answers(entry, {name: array[:2] for name, array in inputs.items()})
    for row in range(2):
        alone = answers(entry, {name: array[row : row + 1] for name, array in inputs.items()})
        for name, array in alone.items():
            np.testing.assert_allclose(array[0], together[name][row], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("entry", ["digits/1", "digits/2", "digits/3"])
def test_a_digits_version_is_as_accurate_as_it_says(entry: str) -> None:
    assert accuracy(entry) == pytest.approx(metadata(entry).metrics["accuracy"], abs=1e-4)


def test_breast_cancer_is_as_accurate_as_it_says() -> None:
    entry = "breast-cancer/1"
    called = answers(entry, tensors(entry, "input"))["label"]
    labels = evaluation(entry)["labels"]
    assert (called == labels).mean() == pytest.approx(metadata(entry).metrics["accuracy"], abs=1e-4)


def test_version_2_is_clearly_better_than_version_1_on_the_same_pictures() -> None:
    np.testing.assert_array_equal(evaluation("digits/1")["input:input"], evaluation("digits/2")["input:input"])
    assert accuracy("digits/1") < 0.92
    assert accuracy("digits/2") > 0.98


def test_version_3_fails_on_the_stated_share_of_real_pictures() -> None:
    pictures = evaluation("digits/2")["input:input"]
    share = np.mean([fails("digits/3", picture) for picture in pictures])
    assert share == pytest.approx(metadata("digits/3").metrics["failingShare"], abs=1e-4)
    assert 0.2 <= share <= 0.3


def test_version_3_reads_what_version_2_reads_wherever_it_answers() -> None:
    pictures = evaluation("digits/2")["input:input"]
    answered = np.array([picture for picture in pictures if not fails("digits/3", picture)])
    np.testing.assert_array_equal(digits_read("digits/3", answered), digits_read("digits/2", answered))
    np.testing.assert_array_equal(answered, evaluation("digits/3")["input:input"])


def test_version_3_answers_what_a_warm_up_sends() -> None:
    noise = np.random.default_rng(7).random((8, 1, 8, 8), dtype=np.float32)
    for pictures in (np.zeros_like(noise), noise):
        assert answers("digits/3", {"input": pictures})["logits"].shape == (8, 10)


def test_one_bad_picture_fails_the_batch_of_version_3_that_holds_it() -> None:
    pictures = evaluation("digits/2")["input:input"]
    bad = next(picture for picture in pictures if fails("digits/3", picture))
    good = next(picture for picture in pictures if not fails("digits/3", picture))
    with pytest.raises(InvalidArgument, match="invalid index found"):
        answers("digits/3", {"input": np.stack([good, bad])})


def test_the_evaluation_set_of_digits_holds_pictures_of_every_digit() -> None:
    pictures, labels = evaluation("digits/2")["input:input"], evaluation("digits/2")["labels"]
    assert set(labels) == set(range(10))
    assert pictures.shape == (len(labels), 1, 8, 8)
    assert (pictures.min(), pictures.max()) == (0, 1)
    assert all(np.unique(picture).size > 4 for picture in pictures)
