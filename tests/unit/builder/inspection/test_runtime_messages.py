"""What onnxruntime says becomes a sentence: no source places, no signatures, and a remedy that helps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelyard.builder.artifacts.validation import gather
from modelyard.builder.inspection.runtime_messages import onnxruntime_message
from modelyard.errors import UnsupportedModel
from tests.support.artifacts import onnx_models as models


def refused(proto: object, folder: Path) -> str:
    models.saved(proto, folder / "model.onnx")
    with pytest.raises(UnsupportedModel) as bad:
        gather(folder)
    return str(bad.value)


def test_an_ir_version_that_is_too_new_is_named_and_the_remedy_helps(tmp_path: Path) -> None:
    proto = models.doubling()
    proto.ir_version = 40

    sentence = refused(proto, tmp_path)

    assert "its ONNX IR version is 40, and onnxruntime here reads up to" in sentence
    proto.ir_version = int(sentence.partition("set model.ir_version = ")[2].split()[0])
    models.saved(proto, tmp_path / "model.onnx")
    assert gather(tmp_path)["batchable"]


@pytest.mark.parametrize("domain", ["ai.onnx", "ai.onnx.ml"])
def test_an_opset_that_is_too_new_is_named_and_the_remedy_helps(tmp_path: Path, domain: str) -> None:
    proto = models.doubling()
    imported = proto.opset_import[0] if domain == "ai.onnx" else proto.opset_import.add(domain=domain)
    imported.version = 99

    sentence = refused(proto, tmp_path)

    assert f"it asks for opset 99 of {domain}, and onnxruntime here knows up to " in sentence
    imported.version = int(sentence.partition("export it with opset ")[2].split()[0])
    models.saved(proto, tmp_path / "model.onnx")
    assert gather(tmp_path)["batchable"]


def test_an_operator_that_is_too_old_is_named(tmp_path: Path) -> None:
    proto = models.doubling()
    proto.graph.node[0].op_type = "Relu"
    del proto.graph.node[0].input[1:]
    proto.opset_import[0].version, proto.ir_version = 5, 3

    assert "it has no Relu (as of opset 1) for these types; export it with a newer opset" in refused(proto, tmp_path)


def test_a_locale_that_is_not_here_is_named(tmp_path: Path) -> None:
    lower = models.helper.make_node("StringNormalizer", ["x"], ["y"], case_change_action="LOWER", locale="xx_YY")
    proto = models.model([lower], [models.value("x", ("n",), 8)], [models.value("y", ("n",), 8)])

    sentence = refused(proto, tmp_path)

    assert "texts change their case in xx_YY, which is not on this machine" in sentence
    assert "locale='C.UTF-8'" in sentence


def test_an_operator_of_somebodys_own_is_named_with_the_way_out(tmp_path: Path) -> None:
    proto = models.doubling()
    node = proto.graph.node[0]
    node.op_type, node.domain = "Twice", "com.acme"
    proto.opset_import.add(domain="com.acme", version=1)

    sentence = refused(proto, tmp_path)

    assert (
        "it uses the operator com.acme:Twice, which onnxruntime does not have; export it with operators of" in sentence
    )
    nodes = [models.helper.make_node("Add", ["a", "b"], ["twice"])]
    opsets = [models.helper.make_opsetid("", 18)]
    proto.functions.append(models.helper.make_function("com.acme", "Twice", ["a", "b"], ["twice"], nodes, opsets))
    models.saved(proto, tmp_path / "model.onnx")
    assert gather(tmp_path)["batchable"]


BROKEN: dict[str, Callable[[Any], object]] = {
    "a tensor that nothing gives": lambda proto: proto.graph.node[0].input.__setitem__(0, "nowhere"),
    "an output that nothing gives": lambda proto: setattr(proto.graph.output[0], "name", "nowhere"),
    "a tensor given twice": lambda proto: proto.graph.node.append(proto.graph.node[0]),
    "no opset": lambda proto: proto.opset_import.pop(),
    "no IR version": lambda proto: proto.ClearField("ir_version"),
    "a domain it does not import": lambda proto: setattr(proto.graph.node[0], "domain", "com.acme"),
    "another type than it declares": lambda proto: setattr(proto.graph.output[0].type.tensor_type, "elem_type", 7),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_graph_that_is_not_valid_says_what_to_do(tmp_path: Path, fault: str) -> None:
    proto = models.doubling()
    BROKEN[fault](proto)

    sentence = refused(proto, tmp_path)

    assert "its graph is not valid: check it with onnx.checker.check_model and export it again" in sentence
    assert len(sentence) < 350


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("[ONNXRuntimeError] : 1 : FAIL : /a/b/model.cc:9 void a::B::C(const d&, e<f()>) const Bad.", "FAIL : Bad."),
        ("Load model from m.onnx failed:/a/graph.cc:12 bool a::b(c) wrong", "Load model from m.onnx failed: wrong"),
        ("Status Message: matmul_helper.h:59 MatMul mismatch", "Status Message: MatMul mismatch"),
        ("x.cc:1 a::b(no end", "(no end"),
        ("/builds/secret/model.onnx is broken", "model.onnx is broken"),
    ],
)  # fmt: skip
def test_places_in_the_source_of_onnxruntime_are_left_out(words: str, said: str) -> None:
    assert onnxruntime_message(RuntimeError(words)) == said
