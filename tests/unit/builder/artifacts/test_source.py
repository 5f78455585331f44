"""What a path holds, and the sentence when it holds nothing that can be built."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.artifacts.source import read_source
from modelyard.errors import InvalidEntry
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts.entries import an_entry


def test_a_lone_file_is_named_after_itself(tmp_path: Path) -> None:
    source = read_source(models.saved(models.doubling(), tmp_path / "toy.onnx"))

    assert (source.kind, source.name, list(source.files)) == ("onnx", "toy", ["model.onnx"])


def test_an_entry_folder_brings_its_name_its_evaluation_set_and_its_configuration(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "folder", arrays={"input:x": [[1.0, 2, 3]], "output:y": [[2.0, 4, 6]]})
    (folder / "config.pbtxt").write_text("max_batch_size: 8")

    source = read_source(folder)

    assert (source.kind, source.name, source.config) == ("entry", "toy", "max_batch_size: 8")
    assert source.evaluation == folder / "eval.npz"


def test_a_triton_repository_may_be_named_by_its_root_or_by_its_model(tmp_path: Path) -> None:
    for version in (1, 2, 10):
        models.saved(models.doubling(("b", version)), tmp_path / "toy" / str(version) / "model.onnx")
    (tmp_path / "toy" / "config.pbtxt").write_text('name: "toy"')

    for path in (tmp_path, tmp_path / "toy"):
        source = read_source(path)
        assert (source.kind, source.name, source.config) == ("repository", "toy", 'name: "toy"')
        assert source.model.parent.name == "10"


def test_the_digest_covers_all_that_is_built_from(tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    digests = [read_source(folder).digest()]
    (folder / "MODEL_CARD.md").write_text("not built from")
    assert read_source(folder).digest() == digests[0]
    (folder / "config.pbtxt").write_text("max_batch_size: 8")
    digests.append(read_source(folder).digest())
    an_entry(folder, models.summing())
    digests.append(read_source(folder).digest())

    assert len(set(digests)) == 3


def tensor(name: str = "x", datatype: str = "FP32", shape: tuple[int, ...] = (-1, 3)) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": list(shape)}


def test_what_the_metadata_declares_may_be_narrower_than_the_file(tmp_path: Path) -> None:
    assert read_source(an_entry(tmp_path, inputs=[tensor(shape=(1, 3))])).name == "toy"


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        (tensor(name="z"), "declares the inputs z, the model has x; make them the same"),
        (tensor(datatype="INT64"), r"declares input 'x' as INT64 \[-1, 3\], the model has FP32 \[-1, 3\]"),
        (tensor(shape=(-1, 4)), r"declares input 'x' as FP32 \[-1, 4\]"),
        (tensor(shape=(3,)), r"declares input 'x' as FP32 \[3\]"),
    ],
)
def test_metadata_that_contradicts_the_file_is_refused(tmp_path: Path, declared: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidEntry, match=sentence):
        read_source(an_entry(tmp_path, inputs=[declared]))


def test_a_path_that_holds_nothing_to_build_says_what_would(tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_text("x")
    (tmp_path / "model.joblib").write_text("x")
    several = tmp_path / "several"
    for name in ("a", "b"):
        models.saved(models.doubling(), several / name / "1" / "model.onnx")
    two = an_entry(tmp_path / "two")
    (two / "model.onnx").rename(two / "one.onnx")
    models.saved(models.doubling(), two / "other.onnx")
    empty = an_entry(tmp_path / "empty")
    (empty / "model.onnx").unlink()
    linked = an_entry(tmp_path / "linked")
    (linked / "model.onnx").rename(tmp_path / "elsewhere.onnx")
    (linked / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")

    for path, sentence in (
        (tmp_path / "missing", "there is no .*missing; name an"),
        (tmp_path / "model.pt", r"is not an \.onnx file; export the model"),
        (tmp_path / "model.joblib", "is a pickle, .* add --trust-pickle"),
        (several, r"holds several models \(a, b\); name the folder of one"),
        (two, r"has several \.onnx files; call the one to serve model\.onnx"),
        (empty, r"has no model\.onnx; put the exported model there"),
        (linked, "is a link; put the file itself there"),
        (tmp_path / "linked" / "..", "is neither an entry"),
    ):
        with pytest.raises(InvalidEntry, match=sentence):
            read_source(path)


FITTING = {"input:x": np.ones((2, 3)), "output:y": np.ones((2, 3))}


@pytest.mark.parametrize("named", ["toy.onnx", "."], ids=["a file", "a folder without modelyard.yaml"])
def test_an_evaluation_set_beside_a_lone_model_is_its_own(tmp_path: Path, named: str) -> None:
    name = "toy.onnx" if named == "toy.onnx" else "model.onnx"
    models.saved(models.doubling(), tmp_path / name)
    np.savez(tmp_path / "eval.npz", **FITTING)

    assert read_source(tmp_path / named).evaluation == tmp_path / "eval.npz"


def test_beside_several_models_an_evaluation_set_is_for_those_it_fits(tmp_path: Path) -> None:
    for name, proto in (("fits", models.doubling()), ("differs", models.summing())):
        models.saved(proto, tmp_path / f"{name}.onnx")
    np.savez(tmp_path / "eval.npz", **FITTING)

    assert read_source(tmp_path / "fits.onnx").evaluation == tmp_path / "eval.npz"
    assert read_source(tmp_path / "differs.onnx").evaluation is None
