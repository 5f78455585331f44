"""Exports: what an archive holds, that it proves itself in the real runtimes, and what is refused.

TFLite is exercised when MODELYARD_TFLITE_PYTHON names a Python with onnx2tf and ai-edge-litert.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper

from modelyard.builder.export.archive import pack, unpack
from modelyard.builder.export.exporter import check, export
from modelyard.errors import CorruptEntry, InvalidEntry, InvalidSettings, UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts.damaged import damaged
from tests.support.artifacts.entries import an_entry

PYTHON = "MODELYARD_TFLITE_PYTHON"
needs_tflite = pytest.mark.tflite
FORMATS = ("onnx", "openvino", pytest.param("tflite", marks=needs_tflite))
INPUT = np.arange(18, dtype=np.float32).reshape(6, 3)
ARRAYS = {"input:x": INPUT, "output:y": INPUT * 2}


def opened(archive: Path, folder: Path) -> Path:
    """The archive's files in a folder."""
    with zipfile.ZipFile(archive) as held:
        held.extractall(folder)
    return folder


def remade(archive: Path, scratch: Path, changes: Mapping[str, bytes], *, honest: bool = True) -> Path:
    """The archive with other content; `honest` also corrects the manifest's digests."""
    folder = opened(archive, scratch / "files")
    for name, content in changes.items():
        (folder / name).write_bytes(content)
    if honest:
        manifest = json.loads((folder / "manifest.json").read_text())
        for file in manifest["files"]:
            content = (folder / file["path"]).read_bytes()
            file |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        (folder / "manifest.json").write_text(json.dumps(manifest))
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    pack(scratch / "remade.zip", files)
    return scratch / "remade.zip"


def an_export(folder: Path, wanted: str = "onnx", proto: Any = None, arrays: Any = ARRAYS, **metadata: Any) -> Path:
    """An archive made from a toy entry."""
    out = folder / f"{wanted}.zip"
    export(an_entry(folder / "toy", proto, arrays, **metadata), wanted, out)
    return out


def classic() -> Any:
    """A model of scikit-learn's kind: operators outside the default set."""
    node = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.0], scale=[2.0])
    proto = models.model([node], [models.value("x", ("batch", 3))], [models.value("y", ("batch", 3))])
    proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
    return proto


@pytest.mark.parametrize("wanted", FORMATS)
def test_an_export_answers_its_golden_rows_in_its_runtime(wanted: str, tmp_path: Path) -> None:
    archive = an_export(tmp_path, wanted)

    checked = check(archive)

    assert (checked.rows, checked.largest_difference) == (4, {"y": 0.0})
    assert checked.runtime.startswith({"onnx": "onnxruntime", "openvino": "openvino", "tflite": "ai-edge"}[wanted])
    assert checked.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()


@pytest.mark.parametrize("wanted", FORMATS)
def test_the_same_entry_gives_the_same_bytes(wanted: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert an_export(tmp_path / "a", wanted).read_bytes() == an_export(tmp_path / "b", wanted).read_bytes()


@pytest.mark.parametrize("wanted", FORMATS)
def test_the_readme_checks_the_archive_without_modelyard(wanted: str, tmp_path: Path) -> None:
    folder = opened(an_export(tmp_path, wanted), tmp_path / "unpacked")
    program = "\n".join(re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL))
    python = os.environ[PYTHON] if wanted == "tflite" else sys.executable

    home = {**os.environ, "HOME": str(tmp_path)}
    ran = subprocess.run([python, "-c", program], cwd=folder, env=home, capture_output=True, text=True, check=False)

    assert (ran.returncode, ran.stdout) == (0, "answers as exported\n"), ran.stderr


@pytest.mark.parametrize("wanted", FORMATS)
def test_an_image_keeps_its_channels_first(wanted: str, tmp_path: Path) -> None:
    images = np.arange(96, dtype=np.float32).reshape(2, 3, 4, 4) - 40
    arrays = {"input:x": images, "output:y": np.maximum(images, 0)}

    checked = export(an_entry(tmp_path / "toy", models.several_dynamic(), arrays), wanted, tmp_path / "toy.zip")

    assert (checked.rows, checked.largest_difference) == (2, {"y": 0.0})


def test_an_export_says_what_the_entry_says(tmp_path: Path) -> None:
    lengths = {"name": "x", "datatype": "FP32", "shape": [-1, 3], "description": "three lengths"}
    said = {"licence": "MIT", "metrics": {"mae": 0.5}, "trainingData": {"reference": "a table"}, "inputs": [lengths]}
    toy = an_entry(tmp_path / "toy", arrays=ARRAYS, **said)
    (toy / "MODEL_CARD.md").write_text("# Toy\n")

    export(toy, "onnx", tmp_path / "toy.zip", digest="sha256:" + "1" * 64)

    folder = opened(tmp_path / "toy.zip", tmp_path / "unpacked")
    manifest, config = (json.loads((folder / name).read_text()) for name in ("manifest.json", "config.json"))
    assert manifest["source"] == {"name": "toy", "version": "1", "digest": "sha256:" + "1" * 64}
    assert {name: manifest[name] for name in ("licence", "metrics", "trainingData")} | {"inputs": [lengths]} == said
    assert config["inputs"] == [lengths]
    assert config["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, 3]}]
    assert (folder / "MODEL_CARD.md").read_text() == "# Toy\n"
    assert "| licence | MIT |" in (folder / "README.md").read_text()


def test_golden_outputs_are_those_the_author_expects(tmp_path: Path) -> None:
    a_little_off = INPUT * 2 + 0.0005

    folder = opened(an_export(tmp_path, arrays={**ARRAYS, "output:y": a_little_off}), tmp_path / "unpacked")

    golden = np.load(folder / "golden.npz")
    np.testing.assert_array_equal(golden["input:x"], INPUT[:4])
    np.testing.assert_array_equal(golden["output:y"], a_little_off[:4].astype(np.float32))


def test_without_an_evaluation_set_a_sample_is_made_up(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "plain.onnx")

    checked = export(path, "onnx", tmp_path / "plain.zip")

    assert (checked.manifest.golden.origin, checked.rows) == ("generated", 1)
    assert (checked.manifest.source.name, checked.manifest.licence) == ("plain", "")


@pytest.mark.parametrize("wanted", FORMATS[:2])
def test_scalars_stay_scalars(wanted: str, tmp_path: Path) -> None:
    archive = an_export(tmp_path, wanted, models.scaled_by_scalar(), None)

    config = json.loads((opened(archive, tmp_path / "unpacked") / "config.json").read_text())
    assert [one["shape"] for one in (*config["inputs"], *config["outputs"])] == [[1, 3], [], [1, 3], []]
    assert check(archive).rows == 1


def test_strings_go_in_and_out(tmp_path: Path) -> None:
    text = np.array([["over"], ["there"]])

    archive = an_export(tmp_path, proto=models.echoing(), arrays={"input:text": text, "output:same": text})

    assert check(archive).largest_difference == {"same": 0.0}


def test_weights_beside_the_model_travel_with_it(tmp_path: Path) -> None:
    path = models.saved(models.with_external_weights("parts/w.bin"), tmp_path / "toy" / "model.onnx")
    (path.parent / "parts").mkdir()
    (path.parent / "parts" / "w.bin").write_bytes(np.ones(3, np.float32).tobytes())

    export(path, "onnx", tmp_path / "toy.zip")

    assert "model/parts/w.bin" in zipfile.ZipFile(tmp_path / "toy.zip").namelist()
    assert check(tmp_path / "toy.zip").rows == 1


@pytest.mark.parametrize("proto", [classic(), models.with_unknown_operator()])
def test_a_refused_model_leaves_the_older_archive_alone(proto: Any, tmp_path: Path) -> None:
    (tmp_path / "openvino.zip").write_bytes(b"older")

    with pytest.raises(UnsupportedModel, match=r"OpenVINO has no Scaler|onnxruntime cannot run"):
        an_export(tmp_path, "openvino", proto, None)

    assert (tmp_path / "openvino.zip").read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["openvino.zip", "toy"]


def test_an_entry_that_contradicts_its_evaluation_set_is_not_exported(tmp_path: Path) -> None:
    with pytest.raises(InvalidEntry, match=r"not what eval\.npz expects"):
        an_export(tmp_path, arrays={**ARRAYS, "output:y": INPUT})

    assert not (tmp_path / "onnx.zip").exists()


@pytest.mark.parametrize("wanted", ["onnx", "openvino"])
def test_an_entry_that_is_held_to_a_metric_gives_its_own_answers(wanted: str, tmp_path: Path) -> None:
    rounded = INPUT * 2 + np.float32(0.5)  # what a quantized model loses against the outputs its author expects

    judged = {"evaluation": {"metric": "cosine", "bound": 0.99}}
    archive = an_export(tmp_path, wanted, arrays={**ARRAYS, "output:y": rounded}, **judged)

    folder = opened(archive, tmp_path / "unpacked")
    np.testing.assert_allclose(np.load(folder / "golden.npz")["output:y"], INPUT[:4] * 2)
    assert json.loads((folder / "manifest.json").read_text())["golden"]["origin"] == "judged"
    assert "with the model's own answers" in (folder / "README.md").read_text()
    assert check(archive).rows == 4


def test_an_entry_that_misses_the_metric_it_is_held_to_is_not_exported(tmp_path: Path) -> None:
    judged = {"evaluation": {"metric": "mae", "bound": 0.001}}

    with pytest.raises(InvalidEntry, match=r"mae on eval\.npz is .* asks for at most 0\.001"):
        an_export(tmp_path, arrays={**ARRAYS, "output:y": INPUT * 2 + np.float32(0.5)}, **judged)

    assert not (tmp_path / "onnx.zip").exists()


def test_core_ml_is_refused_with_the_place_where_it_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"coremltools no longer reads ONNX.* on a Mac"):
        an_export(tmp_path, "coreml")


def test_tflite_is_refused_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON, sys.executable)

    with pytest.raises(InvalidSettings, match=rf"TFLite needs onnx2tf and ai-edge-litert.*name its Python in {PYTHON}"):
        an_export(tmp_path, "tflite")


@needs_tflite
def test_an_operator_tflite_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match=r"ONNX_SCALER.*export with --format onnx"):
        an_export(tmp_path, "tflite", classic(), None)


def test_a_place_that_cannot_be_written_is_refused_first(tmp_path: Path) -> None:
    toy = an_entry(tmp_path / "toy")

    with pytest.raises(InvalidSettings, match="is a folder; name a file"):
        export(toy, "onnx", tmp_path)
    with pytest.raises(InvalidSettings, match="there is no folder"):
        export(toy, "onnx", tmp_path / "nowhere" / "toy.zip")


def test_a_file_the_manifest_does_not_know_is_found(tmp_path: Path) -> None:
    archive = remade(an_export(tmp_path), tmp_path, {"MODEL_CARD.md": b"?"})

    with pytest.raises(CorruptEntry, match=r"MODEL_CARD\.md is not in the manifest"):
        check(archive)


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    archive = an_export(tmp_path)
    at = archive.read_bytes().index(b"# toy:1")
    archive.write_bytes(archive.read_bytes()[:at] + b"@" + archive.read_bytes()[at + 1 :])

    with pytest.raises(CorruptEntry, match=r"onnx.zip is damaged|README.md is not what was exported"):
        check(archive)


def test_an_archive_damaged_in_any_way_is_unpacked_or_refused(tmp_path: Path) -> None:
    archive = an_export(tmp_path)

    for form, content in enumerate(damaged(archive.read_bytes(), 100)):
        archive.write_bytes(content)
        with suppress(CorruptEntry, InvalidEntry):
            unpack(archive, tmp_path / str(form))


def test_an_exchanged_file_is_found(tmp_path: Path) -> None:
    archive = remade(an_export(tmp_path), tmp_path, {"README.md": b"Trust me."}, honest=False)

    with pytest.raises(CorruptEntry, match=r"README.md is not what was exported \(its SHA-256 differs\)"):
        check(archive)


def test_a_model_that_answers_otherwise_is_found_whatever_its_digest(tmp_path: Path) -> None:
    other = models.model(
        [helper.make_node("Neg", ["x"], ["y"])], [models.value("x", ("batch", 3))], [models.value("y", ("batch", 3))]
    )
    archive = remade(an_export(tmp_path), tmp_path, {"model/model.onnx": other.SerializeToString()})

    with pytest.raises(UnsupportedModel, match=r"output 'y' of the onnx model differs from the golden one by up to"):
        check(archive)


@pytest.mark.parametrize("config", [b"{}", b"?", b'{"inputs": [{"name": "x"}], "outputs": []}'])
def test_golden_rows_the_config_does_not_know_are_refused(config: bytes, tmp_path: Path) -> None:
    with pytest.raises(CorruptEntry, match=r"config\.json .*; export again"):
        check(remade(an_export(tmp_path), tmp_path, {"config.json": config}))


def test_a_model_that_reaches_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    hostile = models.with_external_weights("../../secret").SerializeToString()

    with pytest.raises(InvalidEntry, match="outside its own folder"):
        check(remade(an_export(tmp_path), tmp_path, {"model/model.onnx": hostile}))


def test_what_no_export_is_is_refused(tmp_path: Path) -> None:
    stray, packed, climbing = (tmp_path / name for name in ("stray.zip", "packed.zip", "climbing.zip"))
    (tmp_path / "text.zip").write_text("no archive")
    with zipfile.ZipFile(stray, "w") as archive:
        archive.writestr("hello", "world")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", " " * 10_000)
    with zipfile.ZipFile(climbing, "w") as archive:
        archive.writestr("manifest.json", "{}")
        archive.writestr("../outside", "?")

    for path, error, sentence in (
        (tmp_path / "none.zip", InvalidEntry, "there is no file"),
        (tmp_path / "text.zip", CorruptEntry, "is damaged"),
        (stray, InvalidEntry, "it is not an export"),
        (packed, CorruptEntry, "packed by something else"),
        (climbing, CorruptEntry, r"holds \.\./outside"),
    ):
        with pytest.raises(error, match=sentence):
            check(path)
    assert not (tmp_path.parent / "outside").exists()
