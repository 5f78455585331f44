"""Optimized builds: the chosen variant behind a real Triton, in the backend it is for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from modelyard.api.optimization import ORIGINAL, Optimization
from modelyard.api.report import BuildSource
from modelyard.builder.artifacts.assemble import Artifact, AssemblyRequest, ProgressSteps
from modelyard.builder.artifacts.shared_layer import SharedLayer, make_part
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.optimization.optimizer import OptimizationOutcome, Watch, optimize
from modelyard.builder.optimization.results import artifact as optimized
from modelyard.builder.optimization.results.publish import build
from modelyard.builder.triton.config import read_config
from tests.support.artifacts.optimizable import SMALLER, a_perceptron, chains
from tests.unit.builder.optimization import classifier, tiny_passes

ORDER = AssemblyRequest("toy", "sha256:" + "0" * 64, BuildSource(kind="entry", name="toy", digest="sha256:" + "1" * 64))


def built(path: Path, out: Path, author: str = "", **steps: Any) -> Artifact:
    if author:
        (path / "config.pbtxt").write_text(author)
    return build(path, SMALLER, ORDER, out, ProgressSteps(), Watch(), chains(**steps))


def names(artifact: Artifact) -> set[str]:
    return {file.path for file in artifact.report.files}


def test_a_variant_for_openvino_is_served_by_its_backend_with_what_fits_of_the_authors_settings(tmp_path: Path) -> None:
    author = """
      max_batch_size: 16
      dynamic_batching { max_queue_delay_microseconds: 500 }
      instance_group [{ count: 2 }]
      parameters { key: "intra_op_thread_count" value { string_value: "1" } }
      parameters { key: "session.intra_op.allow_spinning" value { string_value: "1" } }
    """

    artifact = built(a_perceptron(tmp_path / "entry"), tmp_path / "out", author, openvino_int8=("openvino-int8",))

    report = artifact.report
    config = read_config((artifact.folder / "repository/toy/config.pbtxt").read_text())
    assert names(artifact) == {"toy/config.pbtxt", "toy/1/model.xml", "toy/1/model.bin"}
    assert (config.backend, config.max_batch_size, config.instance_group[0].count) == ("openvino", 16, 2)
    assert config.dynamic_batching.max_queue_delay_microseconds == 500
    assert list(config.parameters) == ["intra_op_thread_count"]
    assert (report.proof.server, report.quality) == ("Triton 2.51.0", None)
    assert report.optimization is not None
    assert (report.optimization.variant, report.optimization.runtime) == ("openvino-int8", "openvino")
    assert (report.optimization.goal, report.optimization.metric) == ("size", "accuracy")
    assert report.optimization.size_ratio < 0.95
    assert report.optimization.tried >= 2


def test_a_smaller_onnx_model_takes_the_originals_place(tmp_path: Path) -> None:
    entry = a_perceptron(tmp_path / "entry")

    artifact = built(entry, tmp_path / "out", int8_weights=("fold", "int8-weights"))

    assert names(artifact) == {"toy/config.pbtxt", "toy/1/model.onnx"}
    assert (artifact.folder / "repository/toy/1/model.onnx").stat().st_size < 0.6 * (
        entry / "model.onnx"
    ).stat().st_size
    found = Optimization.model_validate_json((artifact.folder / "optimization/report.json").read_text())
    assert found.chosen.name == "int8-weights"
    assert (artifact.folder / "optimization/report.html").is_file()
    assert not (artifact.folder / "optimization/chosen").exists()


def test_when_nothing_is_better_the_artifact_is_the_plain_one_and_says_why(tmp_path: Path) -> None:
    entry = a_perceptron(tmp_path / "entry", inner=32)

    artifact = built(entry, tmp_path / "out", openvino=("openvino",))

    assert names(artifact) == {"toy/config.pbtxt", "toy/1/model.onnx"}
    assert artifact.report.quality is not None
    assert artifact.report.optimization is not None
    assert artifact.report.optimization.variant == ORIGINAL
    assert "none is smaller" in artifact.report.optimization.reason


def chosen_by_chance(scratch: Path) -> tuple[SharedLayer, OptimizationOutcome]:
    """An outcome whose best variant adds noise to its answers, and a good one behind it."""
    entry = classifier.an_entry(scratch / "entry", described="x" * 4000)
    order = classifier.an_order(entry, scratch / "out", goal="size", bound=0.5)
    recipes = tiny_passes.recipes("noisy", "padded")
    return make_part(read_source(entry), scratch / "part"), optimize(order, recipes, scratch / "variants")


def test_a_variant_that_triton_answers_differently_is_refused_and_the_next_best_takes_its_place(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
        part, outcome = chosen_by_chance(tmp_path)
    assert outcome.chosen.name == "noisy"

    artifact, after = optimized.assemble(part, outcome, ORDER, tmp_path / "out", tmp_path, ProgressSteps())

    refused = next(one for one in after.variants if one.name == "noisy").refused
    assert refused is not None
    assert "not served as it answers by itself" in refused
    assert "may depend on chance" in refused
    assert after.chosen.name == artifact.report.optimization.variant == "padded"  # type: ignore[union-attr]


def test_a_variant_whose_outputs_have_other_types_is_refused(tmp_path: Path) -> None:
    part, outcome = _with_a_file_of_other_types(tmp_path)

    _, after = optimized.assemble(part, outcome, ORDER, tmp_path / "out", tmp_path, ProgressSteps())

    refused = next(one for one in after.variants if one.name == "identity").refused or ""
    assert "is float64 in it and float32 in the original" in refused


def _with_a_file_of_other_types(scratch: Path) -> tuple[SharedLayer, OptimizationOutcome]:
    from onnx import TensorProto, helper

    from tests.support.artifacts import onnx_models as models

    entry = classifier.an_entry(scratch / "entry", described="x" * 4000)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[3]))
        order = classifier.an_order(entry, scratch / "out", goal="size")
        outcome = optimize(order, tiny_passes.recipes("identity"), scratch / "variants")
    proto = classifier.proto()
    proto.graph.node[0].output[0] = "narrow"
    proto.graph.node.append(helper.make_node("Cast", ["narrow"], ["logits"], to=TensorProto.DOUBLE))
    proto.graph.output[0].type.tensor_type.elem_type = TensorProto.DOUBLE
    folder, _ = outcome.folders["identity"]
    models.saved(proto, folder / "model.onnx")
    chosen = outcome.chosen.model_copy(update={"name": "identity"})
    return make_part(read_source(entry), scratch / "part"), replace(outcome, chosen=chosen)
