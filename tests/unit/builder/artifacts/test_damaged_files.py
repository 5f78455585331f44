"""Whatever a file of an entry holds, it is read or refused with a sentence; nothing in it is a defect of ours."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest

from modelyard.builder.artifacts.staging import Naming, stage_entry
from modelyard.builder.evaluation.evaluation_set import read_arrays
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.optimization.training.recipe import read_recipe
from modelyard.builder.triton.config import complete_config
from modelyard.errors import InvalidEntry, ModelyardError
from tests.support.artifacts.damaged import complaint, damaged
from tests.support.artifacts.entries import an_entry
from tests.support.artifacts.onnx_models import doubling, saved

IR = """<net name="m" version="11"><layers>
<layer id="0" name="x" type="Parameter"><data shape="?,3" element_type="f32"/>
<output><port id="0" precision="FP32" names="x"><dim>-1</dim><dim>3</dim></port></output></layer>
<layer id="1" name="w" type="Const"><data offset="0" size="12" element_type="f32"/></layer>
<layer id="2" name="y" type="Result" output_names="y">
<input><port id="0" precision="FP32"><dim>-1</dim><dim>3</dim></port></input></layer>
</layers></net>"""
RECIPE = "module: model.py\nweights: weights.safetensors\ndata: data.npz\nepochs: 1\n"
CONFIG = 'max_batch_size: 4\ndynamic_batching { }\nparameters { key: "a" value { string_value: "b" } }\n'


def refused_or_read(read: Callable[[], object]) -> None:
    """Any other exception than ours would be called a defect in Modelyard."""
    said = complaint(read, ModelyardError)

    assert not said or said.endswith("."), said


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    x = np.ones((4, 3), np.float32)
    arrays = {"input:x": x, "output:y": 2 * x, "labels": np.zeros(4, int), "slice:a": np.array(["b", "c"] * 2)}
    return an_entry(tmp_path / "entry", doubling(), arrays, licence="MIT", labels=["a", "b"], metrics={"accuracy": 0.9})


@pytest.mark.parametrize("name", ["model.onnx", "modelyard.yaml", "eval.npz"])
def test_an_entrys_file(entry: Path, tmp_path: Path, name: str) -> None:
    for content in damaged((entry / name).read_bytes()):
        (entry / name).write_bytes(content)
        refused_or_read(lambda: stage_entry(entry, tmp_path / "scratch", Naming()))


def test_openvinos_file(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.with_suffix(".bin").write_bytes(bytes(12))
    path.write_text(IR)
    assert [port.name for port in inspect(path).inputs] == ["x"]

    for content in damaged(IR.encode(), 200):
        path.write_bytes(content)
        refused_or_read(lambda: inspect(path))


def test_a_training_recipe(tmp_path: Path) -> None:
    path = tmp_path / "training" / "recipe.yaml"
    path.parent.mkdir()
    for content in damaged(RECIPE.encode()):
        path.write_bytes(content)
        refused_or_read(lambda: read_recipe(tmp_path))


def test_a_configuration_of_tritons(tmp_path: Path) -> None:
    graph = inspect(saved(doubling(), tmp_path / "model.onnx"))
    for content in damaged(CONFIG.encode()):
        text = content.decode(errors="replace")
        refused_or_read(partial(complete_config, text, "m", graph.inputs, graph.outputs, True))


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    """protobuf gives a string that is no UTF-8 as bytes."""
    content = saved(doubling(), tmp_path / "model.onnx").read_bytes()
    assert onnx.load_from_string(content).graph.input[0].name == "x"
    (tmp_path / "model.onnx").write_bytes(content.replace(b"\x0a\x01x", b"\x0a\x01\xff"))

    with pytest.raises(InvalidEntry, match=r"model\.onnx holds names that are no text: it is damaged"):
        inspect(tmp_path / "model.onnx")


TEXTS = {"bytes": np.array([b"\xff"]), "half a character": np.array(["\ud800"])}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_text_that_is_no_utf8_is_refused_with_the_arrays_name(tmp_path: Path, text: np.ndarray) -> None:
    held = io.BytesIO()
    np.savez(held, **{"input:word": text})
    (tmp_path / "eval.npz").write_bytes(held.getvalue())

    with pytest.raises(InvalidEntry, match=r"eval\.npz: input:word holds text that is not UTF-8"):
        read_arrays(tmp_path / "eval.npz")
