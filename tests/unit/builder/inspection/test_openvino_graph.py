"""OpenVINO's IR is read for what it says of itself, and whatever lies or is damaged is refused with what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelyard.builder.artifacts.source import read_source
from modelyard.builder.inspection.graph import Port
from modelyard.builder.inspection.model_file import inspect
from modelyard.builder.optimization.passes import PASSES
from modelyard.errors import InvalidEntry, UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts import quantizable


def an_ir(folder: Path, proto: Any = None) -> Path:
    material = quantizable.on_disk(proto or models.looking_up(), folder / "onnx")
    return PASSES["openvino"].run(material, folder / "ir", {}, None).path


def test_names_types_and_shapes_are_those_of_the_model_it_was_made_of(tmp_path: Path) -> None:
    graph = inspect(an_ir(tmp_path, models.remembering()))

    assert graph.inputs == (Port("x", "FP32", (None, 4)), Port("state", "FP32", (2, None, 4)))
    assert {port.name for port in graph.outputs} == {"y", "next"}
    assert graph.data_files == ("model.bin",)


def test_both_files_are_served_under_the_names_the_backend_opens(tmp_path: Path) -> None:
    path = an_ir(tmp_path)
    renamed = path.rename(path.with_name("mine.xml"))
    path.with_suffix(".bin").rename(renamed.with_suffix(".bin"))

    source = read_source(renamed)

    assert (source.kind, source.name) == ("openvino", "mine")
    assert source.files == {"model.xml": renamed, "model.bin": renamed.with_suffix(".bin")}


def test_it_is_nothing_that_variants_are_made_of(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"model\.xml is OpenVINO's IR, and why; use the ONNX model"):
        read_source(an_ir(tmp_path)).needs_onnx("why")


def _edit(old: str, new: str) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return edit


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.write_text("<net"), "cannot be read as OpenVINO's IR"),
        (lambda path: path.write_text("<net version='11'/>"), "holds no model"),
        (_edit("<dim>-1</dim>", "<dim>many</dim>"), "cannot be read as OpenVINO's IR"),
        (_edit('<?xml version="1.0"?>', '<!DOCTYPE net [<!ENTITY a "b">]>'), "declares a document type"),
        (_edit('names="ids"', 'names=""'), "an input of the IR has no printable name"),
        (_edit('precision="I64" names="ids"', 'precision="NF4" names="ids"'), "is of type NF4, which cannot be served"),
        (lambda path: path.with_suffix(".bin").unlink(), r"needs the weights file 'model\.bin' beside it"),
        (lambda path: path.with_suffix(".bin").write_bytes(b""), r"'model\.bin' is cut short"),
    ],
)
def test_what_lies_or_is_damaged_is_refused(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    path = an_ir(tmp_path)
    damage(path)

    with pytest.raises((InvalidEntry, UnsupportedModel), match=said):
        inspect(path)


def test_weights_behind_a_link_are_refused(tmp_path: Path) -> None:
    path = an_ir(tmp_path)
    weights = path.with_suffix(".bin")
    weights.rename(tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InvalidEntry, match=r"needs the weights file 'model\.bin' beside it"):
        inspect(path)
