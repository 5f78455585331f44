"""Every node gets a name of its own; what a pass leaves otherwise is refused with the name."""

from pathlib import Path

import pytest
from onnx import helper

from modelyard.builder.inspection.node_names import require_valid, uniquely_named
from tests.support.artifacts import onnx_models as models

node = helper.make_node


def test_nodes_without_a_name_or_with_one_alike_get_one_and_others_keep_theirs() -> None:
    then = helper.make_graph([node("Neg", ["x"], ["t"], name="a")], "then", [], [models.value("t", None)])
    other = helper.make_graph([node("Abs", ["x"], ["e"])], "else", [], [models.value("e", None)])
    nodes = [
        node("Relu", ["x"], ["r"], name="a"),
        node("Relu", ["r"], ["s"], name="a"),
        node("Relu", ["s"], ["u"], name="a_1"),
        node("If", ["c"], ["y"], then_branch=then, else_branch=other),
    ]
    proto = models.model(nodes, [models.value("x", ("n",)), models.value("c", (), 9)], [models.value("y", None)])
    inside = [node("Relu", ["a"], ["b"])]
    proto.functions.append(helper.make_function("own", "f", ["a"], ["b"], inside, [helper.make_opsetid("", 18)]))

    uniquely_named(proto)

    assert [item.name for item in proto.graph.node] == ["a", "a_2", "a_1", "If_1"]
    assert proto.functions[0].node[0].name == "Relu_1"
    names = [item.name for graph in proto.graph.node[3].attribute for item in graph.g.node]
    assert len({*names, *(item.name for item in proto.graph.node)}) == 6


def test_two_nodes_of_one_name_are_refused(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["z"], name="cast0"), node("Relu", ["z"], ["y"], name="cast0")]
    path = models.saved(
        models.model(nodes, [models.value("x", ("n",))], [models.value("y", ("n",))]), tmp_path / "m.onnx"
    )

    with pytest.raises(ValueError, match="two nodes have the name 'cast0'"):
        require_valid(path)


def test_a_file_against_the_format_is_refused_with_the_checkers_words(tmp_path: Path) -> None:
    nodes = [node("Relu", ["nowhere"], ["y"])]
    path = models.saved(
        models.model(nodes, [models.value("x", ("n",))], [models.value("y", ("n",))]), tmp_path / "m.onnx"
    )

    with pytest.raises(ValueError, match="nowhere"):
        require_valid(path)


def test_what_the_checker_refuses_in_the_model_before_too_is_not_held_against_a_pass(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], ["y"], own_attribute=1)]
    proto = models.model(nodes, [models.value("x", ("n",))], [models.value("y", ("n",))])
    path = models.saved(proto, tmp_path / "m.onnx")

    require_valid(path, before=path)

    with pytest.raises(ValueError, match="own_attribute"):
        require_valid(path)
