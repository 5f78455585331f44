"""Artifacts of an offline run: the staged files that were logged, or a sentence that says why not."""

from pathlib import Path

import pytest

from modelyard.errors import InvalidEntry
from modelyard.registry.wandb.artifacts import artifacts, unpacked
from tests.support.objects.wandb_runs import a_run, logged, numbered, staged, written

MODEL = {"model.onnx": b"weights", "eval.npz": b"rows"}


def address(run: Path, name: str) -> str:
    return f"wandb:{run}/{name}"


def test_a_lone_model_is_found_with_what_lies_beside_it(tmp_path: Path) -> None:
    run = a_run(tmp_path, logged("Fraud Check", *staged(tmp_path / "staging", {**MODEL, "deep/notes.txt": b"hm"})))

    model, called = unpacked(address(run, "Fraud Check"), tmp_path)

    assert (model.name, model.read_bytes(), called) == ("model.onnx", b"weights", "fraud-check")
    assert (model.parent / "eval.npz").read_bytes() == b"rows"
    assert (model.parent / "deep" / "notes.txt").read_bytes() == b"hm"


def test_an_entry_folder_stays_one(tmp_path: Path) -> None:
    run = a_run(tmp_path, logged("fraud", *staged(tmp_path / "staging", {**MODEL, "modelyard.yaml": b"name: fraud"})))

    folder, _ = unpacked(address(run, "fraud"), tmp_path)

    assert sorted(file.name for file in folder.iterdir()) == ["eval.npz", "model.onnx", "modelyard.yaml"]


def test_the_last_of_a_name_is_meant_unless_a_digest_is_named(tmp_path: Path) -> None:
    records = [
        logged("fraud", *staged(tmp_path / digest, {"model.onnx": digest.encode()}), digest=digest)
        for digest in ("d1", "d2")
    ]
    run = a_run(tmp_path, *records)

    assert [(each.name, each.kind, each.digest) for each in artifacts(run)] == [
        ("fraud", "model", "d1"),
        ("fraud", "model", "d2"),
    ]
    assert unpacked(address(run, "fraud"), tmp_path / "a")[0].read_bytes() == b"d2"
    assert unpacked(address(run, "fraud:d1"), tmp_path / "b")[0].read_bytes() == b"d1"


def test_an_artifact_of_many_files_is_read_across_blocks(tmp_path: Path) -> None:
    files = {f"part-{number:04}.txt": b"%d" % number for number in range(600)}
    run = a_run(tmp_path, logged("fraud", *staged(tmp_path / "staging", {**files, "model.onnx": b"m"})))

    model, _ = unpacked(address(run, "fraud"), tmp_path)

    assert len(list(model.parent.iterdir())) == 601


def test_a_file_that_changed_or_went_is_named(tmp_path: Path) -> None:
    run = a_run(tmp_path, logged("fraud", *staged(tmp_path / "staging", MODEL)))
    (tmp_path / "staging" / "tmp0").write_bytes(b"other weights")

    with pytest.raises(InvalidEntry, match=r"tmp0 is not what fraud logged as model\.onnx: its digest differs"):
        unpacked(address(run, "fraud"), tmp_path / "a")
    (tmp_path / "staging" / "tmp0").unlink()
    with pytest.raises(InvalidEntry, match=r"staged as .*tmp0, which is not there: push it on the machine that"):
        unpacked(address(run, "fraud"), tmp_path / "b")


def test_what_is_not_in_the_folder_is_refused(tmp_path: Path) -> None:
    pointing = written(1, "model.onnx") + written(2, "x") + written(3, "s3://bucket/model.onnx")
    outside = written(1, "../../model.onnx") + written(2, "x") + written(6, "/etc/passwd")
    elsewhere = {
        "points": (logged("points", pointing), "only points at s3://bucket/model"),
        "outside": (logged("outside", outside), "unsafe path"),
        "grows": (logged("grows", more=numbered(100, 1)), "is not whole in its run's log"),
    }
    run = a_run(tmp_path, *(record for record, _ in elsewhere.values()))

    for name, (_, words) in elsewhere.items():
        with pytest.raises(InvalidEntry, match=words):
            unpacked(address(run, name), tmp_path / name)


@pytest.mark.parametrize(
    ("files", "has"),
    [({"a.onnx": b"", "b.onnx": b""}, r"a\.onnx, b\.onnx"), ({"model.pt": b""}, r"model\.pt"), ({}, "nothing")],
)
def test_an_artifact_without_one_model_says_what_to_log(tmp_path: Path, files: dict[str, bytes], has: str) -> None:
    run = a_run(tmp_path, logged("fraud", *staged(tmp_path / "staging", files)))

    with pytest.raises(InvalidEntry, match=rf"no one model to push, but {has}: log one \.onnx file"):
        unpacked(address(run, "fraud"), tmp_path)


def test_what_was_not_logged_is_said_with_what_was(tmp_path: Path) -> None:
    run = a_run(tmp_path, logged("fraud"), logged("data"))

    with pytest.raises(InvalidEntry, match="logged no artifact model: it has data, fraud"):
        unpacked(address(run, "model"), tmp_path)
    with pytest.raises(InvalidEntry, match="logged no artifact model: it logged none"):
        unpacked(address(a_run(tmp_path / "empty"), "model"), tmp_path)


def test_an_address_that_is_none_says_how_one_is_written(tmp_path: Path) -> None:
    for wrong in ("wandb:fraud", "wandb:", f"wandb:{tmp_path}/"):
        with pytest.raises(InvalidEntry, match="write wandb:FOLDER-OF-THE-RUN/ARTIFACT"):
            unpacked(wrong, tmp_path)
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InvalidEntry, match="holds no log of one run"):
            unpacked(address(folder, "fraud"), tmp_path)


def test_a_record_that_is_not_protobuf_is_refused(tmp_path: Path) -> None:
    run = a_run(tmp_path, b"\x0b")

    with pytest.raises(InvalidEntry, match=r"holds a record that is not W&B's \(a field of kind 3\)"):
        artifacts(run)
