"""Artifacts of the models that occur in the wild, each proved by a real Triton."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.api.report import Report
from modelyard.builder.optimization.passes import PASSES
from modelyard.builder.triton.config import read_config
from modelyard.errors import InvalidEntry, UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts import quantizable
from tests.support.artifacts.building import built, built_from
from tests.support.artifacts.entries import an_entry

REPO = Path(__file__).resolve().parents[3] / "model-repo"
Shapes = dict[str, list[int]]


def shapes(report: Report) -> Shapes:
    return {tensor.name: list(tensor.shape) for tensor in (*report.inputs, *report.outputs)}


@pytest.mark.parametrize(
    ("proto", "batches", "seen"),
    [
        (models.summing(), True, {"x": [-1, 3], "total": [-1, 1]}),
        (models.several_dynamic(), True, {"x": [-1, 3, -1, -1], "y": [-1, 3, -1, -1]}),
        (models.echoing(), True, {"text": [-1, 1], "same": [-1, 1]}),
        (models.looking_up(), True, {"ids": [-1, -1], "y": [-1, -1, 2]}),
        (models.doubling(("n",)), True, {"x": [-1, 1], "y": [-1, 1]}),
        (models.doubling(("n", 2), models.HALF), True, {"x": [-1, 2], "y": [-1, 2]}),
        (models.centring(), False, {"x": [-1, 3], "y": [-1, 3]}),
        (models.doubling((1, 3)), False, {"x": [1, 3], "y": [1, 3]}),
        (models.remembering(), False, {"x": [-1, 4], "state": [2, -1, 4], "y": [-1, 4], "next": [2, -1, 4]}),
        (models.scaled_by_scalar(), False, {"x": [1, 3], "rate": [1], "y": [1, 3], "top": [1]}),
        (models.declaring_one(), True, {"x": [-1, 3], "total": [-1, 1]}),
        (models.with_a_constant_output(), False, {"x": [-1, 3], "y": [-1, 3], "version": [1]}),
    ],
    ids=[
        "one number a row", "images of any size", "strings", "tokens", "nothing but a batch", "half precision",
        "rows mixed", "batch fixed to 1", "state in dimension 1", "scalars", "labels declared as one",
        "a version written down",
    ],
)  # fmt: skip
def test_what_occurs_in_the_wild_is_served(tmp_path: Path, proto: Any, batches: bool, seen: Shapes) -> None:
    artifact = built_from(proto, tmp_path)

    report = artifact.report
    assert report.batching.batchable is batches
    assert (report.batching.max_batch_size > 0) is batches
    assert shapes(report) == seen
    assert report.proof.server == "Triton 2.51.0"
    assert max(report.proof.largest_difference.values()) < 1e-3


def test_the_folder_holds_what_the_report_lists_and_nothing_else(tmp_path: Path) -> None:
    artifact = built_from(models.doubling(), tmp_path)

    out = artifact.folder
    present = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert present == {
        "report.json", "warmup.json", "repository/toy/config.pbtxt", "repository/toy/1/model.onnx",
    }  # fmt: skip
    assert Report.model_validate_json((out / "report.json").read_text()) == artifact.report
    assert read_config((out / "repository/toy/config.pbtxt").read_text()).name == "toy"
    assert json.loads((out / "warmup.json").read_text())["inputs"][0]["shape"] == [1, 3]


def test_the_same_repository_serves_on_cpus_and_gpus_and_both_builders_prove_it_alike(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "model.onnx")

    cpu, gpu = (built(path, tmp_path / target, target=target).report for target in ("cpu", "gpu"))

    assert (cpu.target, gpu.target) == ("cpu", "gpu")
    assert gpu.files == cpu.files  # by path, size and SHA-256
    assert gpu.proof.server == cpu.proof.server
    text = (tmp_path / "gpu/repository/toy/config.pbtxt").read_text()
    assert read_config(text).backend == "onnxruntime"
    assert "KIND_" not in text  # each Triton puts the instances where it can: on every GPU, else on the CPU


def test_weights_in_files_of_their_own_come_along(tmp_path: Path) -> None:
    path = models.saved(models.with_external_weights("weights/w.bin"), tmp_path / "model.onnx")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(np.array([1, 2, 3], np.float32).tobytes())

    artifact = built(path, tmp_path / "out")

    assert "toy/1/weights/w.bin" in [file.path for file in artifact.report.files]


@pytest.mark.parametrize("named", ["", "model.xml"], ids=["the folder", "the file"])
def test_what_was_converted_for_openvino_is_served_as_it_is(tmp_path: Path, named: str) -> None:
    material = quantizable.on_disk(models.looking_up(), tmp_path / "onnx")
    chosen = PASSES["openvino"].run(material, tmp_path / "chosen", {}, None).path.parent

    artifact = built(chosen / named, tmp_path / "out")

    config = read_config((artifact.folder / "repository/toy/config.pbtxt").read_text())
    assert (config.backend, artifact.report.source.kind) == ("openvino", "openvino")
    assert shapes(artifact.report) == {"ids": [-1, -1], "y": [-1, -1, 2]}
    assert artifact.report.batching.batchable
    assert {file.path for file in artifact.report.files} == {
        "toy/config.pbtxt", "toy/1/model.xml", "toy/1/model.bin",
    }  # fmt: skip


def test_an_authors_triton_repository_keeps_its_tuning(tmp_path: Path) -> None:
    models.saved(models.doubling(), tmp_path / "mine" / "1" / "model.onnx")
    (tmp_path / "mine" / "config.pbtxt").write_text(
        'name: "mine" platform: "onnxruntime_onnx" max_batch_size: 4 instance_group [{count: 2 kind: KIND_CPU}]'
    )

    report = built(tmp_path, tmp_path / "out").report

    assert (report.source.kind, report.source.name, report.model) == ("repository", "mine", "toy")
    assert report.batching.max_batch_size == 4


@pytest.mark.parametrize("entry", ["digits/1", "digits/2", "digits/3", "breast-cancer/1"])
def test_the_example_entries_build(tmp_path: Path, entry: str) -> None:
    report = built(REPO / entry, tmp_path, "example").report

    assert report.quality is not None
    assert report.quality.rows > 100
    assert report.batching.batchable


def test_a_model_that_draws_its_answers_is_served_and_proved_by_shapes_and_finite_values(tmp_path: Path) -> None:
    nodes = [
        models.helper.make_node("RandomUniformLike", ["x"], ["noise"], dtype=1),
        models.helper.make_node("Add", ["x", "noise"], ["y"]),
        models.helper.make_node("Neg", ["x"], ["z"]),
    ]
    outputs = [models.value(name, ("n", 3)) for name in "yz"]

    report = built_from(models.model(nodes, [models.value("x", ("n", 3))], outputs), tmp_path).report

    assert report.proof.largest_difference == {"z": 0.0}
    assert not report.batching.batchable


def test_a_failed_build_leaves_no_report_of_an_earlier_one(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    built(folder, tmp_path / "out")
    (folder / "config.pbtxt").write_text("max_batch_size: 4\ndynamic_batching { preferred_batch_size: [9] }")

    with pytest.raises(UnsupportedModel, match=r"Triton cannot serve this model, .*preferred"):
        built(folder, tmp_path / "out")

    assert not (tmp_path / "out" / "report.json").exists()


def test_a_file_cut_short_never_reaches_triton(tmp_path: Path) -> None:
    path = models.saved(models.looking_up(), tmp_path / "model.onnx")
    path.write_bytes(path.read_bytes()[:60])

    with pytest.raises(InvalidEntry, match="export it again"):
        built(path, tmp_path / "out")

    assert not (tmp_path / "out").exists()
