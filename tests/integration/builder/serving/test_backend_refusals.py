"""What the compiled onnxruntime backend refuses when it loads a model: one sentence, before a request can fail."""

from pathlib import Path
from typing import Any

import pytest

from modelyard.errors import UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import running, save_for_triton


def sequences() -> Any:
    """An output that is a sequence of tensors."""
    node = models.helper.make_node("SplitToSequence", ["x"], ["parts"], axis=1)
    kind = models.helper.make_sequence_type_proto(models.helper.make_tensor_type_proto(models.FLOAT, None))
    return models.model([node], [models.value("x", ("n", 3))], [models.helper.make_value_info("parts", kind)])


INPUT = 'input [{ name: "x" data_type: TYPE_FP32 dims: [3] }]\n'
OUTPUT = 'output [{ name: "y" data_type: TYPE_FP32 dims: [3] }]\n'


@pytest.mark.parametrize(
    ("proto", "tensors", "sentence"),
    [
        (sequences(), INPUT + OUTPUT.replace("y", "parts", 1), "parts is a sequence, and Triton serves tensors alone"),
        (models.doubling(), INPUT.replace("x", "z", 1) + OUTPUT, "names the input 'z', which the model lacks"),
        (models.doubling(), INPUT + OUTPUT.replace("y", "z", 1), "names the output 'z', which the model lacks"),
        (models.doubling(), INPUT.replace("FP32", "INT64") + OUTPUT, "input 'x' is TYPE_INT64, but it is FP32"),
        (models.doubling(), INPUT + OUTPUT.replace("FP32", "STRING"), "output 'y' is TYPE_STRING, but it is FP32"),
        (None, INPUT + OUTPUT, "onnxruntime cannot load model.onnx: "),
    ],
    ids=["a sequence", "no such input", "no such output", "an input's type", "an output's type", "no model"],
)
def test_what_cannot_be_served_is_said_when_it_is_loaded(
    tmp_path: Path, compiled_home: Path, proto: Any, tensors: str, sentence: str
) -> None:
    folder = tmp_path / "repository" / "toy"
    file = save_for_triton(models.doubling(), "max_batch_size: 4\n", folder)
    if proto is None:
        file.write_bytes(b"no model")
    else:
        models.saved(proto, file)
    (folder / "config.pbtxt").write_text('name: "toy" backend: "onnxruntime" max_batch_size: 4\n' + tensors)

    with (
        pytest.raises(UnsupportedModel) as refused,
        running(compiled_home, tmp_path / "repository", "toy", tmp_path / "triton.log"),
    ):
        raise AssertionError("it serves what it cannot")

    assert sentence in str(refused.value)
