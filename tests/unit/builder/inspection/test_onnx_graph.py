"""What an ONNX file says about itself, and which files are refused before any runtime opens them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from modelyard.builder.inspection.graph import Port
from modelyard.builder.inspection.model_file import inspect
from modelyard.errors import InvalidEntry, UnsupportedModel
from tests.support.artifacts import onnx_models as models


def test_names_types_and_shapes_come_from_the_graph(tmp_path: Path) -> None:
    graph = inspect(models.saved(models.looking_up(), tmp_path / "model.onnx"))

    assert graph.inputs == (Port("ids", "INT64", ("batch", "length")),)
    assert graph.outputs == (Port("y", "FP32", ("batch", "length", 2)),)
    assert (graph.opset, graph.data_files) == (18, ())


def test_weights_that_are_also_listed_as_inputs_are_not_asked_of_clients(tmp_path: Path) -> None:
    proto = models.looking_up()
    proto.graph.input.append(models.value("table", (4, 2)))

    assert [port.name for port in inspect(models.saved(proto, tmp_path / "m.onnx")).inputs] == ["ids"]


def test_an_output_without_a_shape_is_left_open(tmp_path: Path) -> None:
    proto = models.doubling()
    proto.graph.output[0].type.tensor_type.ClearField("shape")

    assert inspect(models.saved(proto, tmp_path / "m.onnx")).outputs[0].dims is None


def test_an_input_without_a_shape_is_refused(tmp_path: Path) -> None:
    proto = models.doubling()
    proto.graph.input[0].type.tensor_type.ClearField("shape")

    with pytest.raises(InvalidEntry, match="input 'x' declares no shape; export the model again"):
        inspect(models.saved(proto, tmp_path / "m.onnx"))


def test_a_negative_dimension_is_a_dynamic_one(tmp_path: Path) -> None:
    assert inspect(models.saved(models.doubling((-1, 3)), tmp_path / "m.onnx")).inputs[0].dims == (None, 3)


@pytest.mark.parametrize("kept", [0, 1, 20, 100])
def test_a_file_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    path = models.saved(models.looking_up(), tmp_path / "m.onnx")
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(InvalidEntry, match=r"m\.onnx (cannot be read as ONNX|holds no ONNX graph).*export it again"):
        inspect(path)


def test_something_that_is_not_onnx_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("<html>not found</html>")

    with pytest.raises(InvalidEntry, match="export it again"):
        inspect(tmp_path / "m.onnx")


def damaged_names() -> list[bytes]:
    branch = helper.make_graph([helper.make_node("Neg", ["x"], ["inner"])], "g", [], [models.value("inner", None)])
    nodes = [helper.make_node("Reduce", ["x"], ["flag"]), helper.make_node("If", ["flag"], ["y"], then_branch=branch)]
    content = models.model(nodes, [models.value("x", ("rows",))], [models.value("y", ("rows",))]).SerializeToString()
    return [content.replace(word, b"\xff" * len(word)) for word in (b"rows", b"flag", b"inner", b"then_branch", b"Neg")]


@pytest.mark.parametrize("content", damaged_names(), ids=["a dimension", "a tensor", "in a branch", "a part", "a node"])
def test_names_that_are_no_text_are_damage(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)

    with pytest.raises(InvalidEntry, match=r"m\.onnx (holds names that are no text|cannot be read as ONNX)"):
        inspect(tmp_path / "m.onnx")


def test_a_pointer_of_git_lfs_is_known(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1234\n")

    with pytest.raises(InvalidEntry, match="is a Git LFS pointer, not the model itself; run git lfs pull"):
        inspect(tmp_path / "m.onnx")


def test_weights_that_are_called_as_the_model_will_be_are_refused(tmp_path: Path) -> None:
    """Both would be one file where the model is served."""
    onnx.save(
        models.looking_up(), tmp_path / "m.onnx", save_as_external_data=True, location="model.onnx", size_threshold=0
    )

    with pytest.raises(InvalidEntry, match=r"m\.onnx keeps weights in 'model\.onnx', as the model will be called"):
        inspect(tmp_path / "m.onnx")


def test_a_model_that_gives_nothing_is_refused(tmp_path: Path) -> None:
    proto = models.doubling()
    del proto.graph.output[:]

    with pytest.raises(UnsupportedModel, match="has no outputs"):
        inspect(models.saved(proto, tmp_path / "m.onnx"))


def test_maps_are_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"output 'probabilities' is a sequence.*'zipmap': False"):
        inspect(models.saved(models.with_map_output(), tmp_path / "m.onnx"))


def of_form(kind: str, form: str) -> Any:
    tensor = helper.make_tensor_type_proto(1, ["n"])
    forms = {
        "sequence": helper.make_sequence_type_proto(tensor),
        "map": helper.make_map_type_proto(8, tensor),
        "optional": helper.make_optional_type_proto(tensor),
        "sparse tensor": helper.make_sparse_tensor_type_proto(1, ["n"]),
    }
    odd, plain = helper.make_value_info("odd", forms[form]), models.value("x", ("n", 3))
    ends = ([odd], [plain]) if kind == "input" else ([plain], [odd])
    return models.model([helper.make_node("Identity", [ends[0][0].name], [ends[1][0].name])], *ends)


@pytest.mark.parametrize(
    ("kind", "form", "advice"),
    [
        ("input", "sequence", "an input for each tensor of it, or with one tensor"),
        ("input", "map", "a tensor with a column for each key"),
        ("input", "optional", "with that input always given"),
        ("input", "sparse tensor", "takes a dense tensor"),
        ("output", "sequence", "ConcatFromSequence stacks"),
        ("output", "map", "a tensor with a column for each key"),
        ("output", "optional", "OptionalGetElement"),
        ("output", "sparse tensor", "in a dense tensor"),
    ],
)
def test_what_is_no_tensor_is_refused_with_a_way_out_that_fits(
    tmp_path: Path, kind: str, form: str, advice: str
) -> None:
    with pytest.raises(
        UnsupportedModel, match=rf"{kind} 'odd' is .*{form}.*, and only tensors can be served; .*{advice}"
    ) as bad:
        inspect(models.saved(of_form(kind, form), tmp_path / "m.onnx"))
    assert "zipmap" not in str(bad.value)


def test_a_width_that_only_the_weights_know_is_the_models(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones((13, 1), np.float32), "w")
    mean = numpy_helper.from_array(np.ones(5, np.float32), "mean")
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Sub", ["s", "mean"], ["z"])]
    ins, outs = [models.value(n, (None, None)) for n in "xs"], [models.value(n, (None, None)) for n in "yz"]

    graph = inspect(models.saved(models.model(nodes, ins, outs, [weight, mean]), tmp_path / "m.onnx"))

    assert [port.dims for port in graph.inputs] == [(None, 13), (None, None)]
    assert [port.likely for port in graph.inputs] == [(), ((1, 5),)]
    assert graph.weight_sizes == (5, 13)


def test_element_types_that_no_client_can_send_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"'x' has an element type that cannot be served .* cast it"):
        inspect(models.saved(models.doubling(kind=14), tmp_path / "m.onnx"))


def test_a_dimension_of_size_zero_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="'x' has a dimension of size 0"):
        inspect(models.saved(models.doubling((0, 3)), tmp_path / "m.onnx"))


def test_a_name_used_twice_is_refused(tmp_path: Path) -> None:
    proto = models.doubling()
    proto.graph.output.append(proto.graph.input[0])

    with pytest.raises(UnsupportedModel, match="the name 'x' for two inputs or outputs"):
        inspect(models.saved(proto, tmp_path / "m.onnx"))


def test_a_model_without_inputs_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("Constant", [], ["y"], value_float=1.0)]

    with pytest.raises(UnsupportedModel, match="has no inputs"):
        inspect(models.saved(models.model(nodes, [], [models.value("y", ())]), tmp_path / "m.onnx"))


def test_weights_beside_the_model_are_found(tmp_path: Path) -> None:
    path = models.saved(models.with_external_weights("weights/w.bin"), tmp_path / "m.onnx")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(bytes(12))

    assert inspect(path).data_files == ("weights/w.bin",)


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/hostname", "a/../../secret.bin", "", "..\\secret.bin"])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    path = models.saved(models.with_external_weights(location), tmp_path / "entry" / "m.onnx")

    with pytest.raises(InvalidEntry, match="outside its own folder"):
        inspect(path)


def test_weights_behind_a_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    path = models.saved(models.with_external_weights("w.bin"), tmp_path / "entry" / "m.onnx")
    (tmp_path / "entry" / "w.bin").symlink_to(tmp_path / "secret.bin")

    with pytest.raises(InvalidEntry, match="outside its own folder"):
        inspect(path)


def test_weights_hidden_in_a_branch_are_looked_at_too(tmp_path: Path) -> None:
    hidden = models.with_external_weights("../secret.bin").graph.initializer[0]
    proto = models.choosing()
    proto.graph.node[1].attribute[0].g.initializer.append(hidden)

    with pytest.raises(InvalidEntry, match="outside its own folder"):
        inspect(models.saved(proto, tmp_path / "m.onnx"))


def test_missing_and_short_weights_are_told_apart(tmp_path: Path) -> None:
    path = models.saved(models.with_external_weights("w.bin"), tmp_path / "m.onnx")

    with pytest.raises(InvalidEntry, match=r"needs the weights file 'w\.bin' beside it; add it"):
        inspect(path)
    (tmp_path / "w.bin").write_bytes(bytes(11))
    with pytest.raises(InvalidEntry, match=r"'w\.bin' is cut short; copy it again"):
        inspect(path)
