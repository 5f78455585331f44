"""Training in another container: jobs and results go over a folder, and what comes back is not trusted."""

import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import modelyard.builder.optimization.training
from modelyard.builder.optimization.training import environment, sidecar_client
from modelyard.errors import HostFailure, InvalidSettings, UnsupportedModel

HERE = Path(modelyard.builder.optimization.training.__file__).parent
SERVE = """
import sys
from pathlib import Path
sys.path.append(sys.argv[1])
from programs.sidecar_server import serve
serve(Path(sys.argv[2]), Path(sys.argv[3]), "")
"""
PROGRAM = """
import json, os, signal, sys
from pathlib import Path
verb, order, result = sys.argv[1:]
job = json.loads(Path(order).read_text())
print("one", flush=True)
if verb == "break":
    sys.exit("ValueError: the data gives nothing")
if verb == "devour":
    os.kill(os.getpid(), signal.SIGKILL)
if verb == "hang":
    signal.alarm(10)
    signal.pause()
print("two")
(Path(job["out"]) / "deep").mkdir()
(Path(job["out"]) / "deep" / "model.onnx").write_bytes(b"model of " + Path(job["folder"], "module.py").read_bytes())
rows = Path(job["evaluation"]).read_text() if "evaluation" in job else ""
Path(result).write_text(json.dumps({"path": "deep/model.onnx", "rows": rows, "keys": dict(os.environ).get("KEY", "")}))
"""


class Trainer:
    """The other side, run as the container runs it but with a program that needs no torch."""

    def __init__(self, folder: Path) -> None:
        self.common, self._program = folder / "common", folder / "program.py"
        self.common.mkdir()
        self._program.write_text(PROGRAM)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-I", "-c", SERVE, str(HERE), str(self.common), str(self._program)]
        self._process = subprocess.Popen(command, env={"PATH": os.defpath})

    def end(self) -> int:
        """As Kubernetes ends a container; its exit code."""
        self._process.terminate()
        return self._process.wait(10)

    def lose(self) -> None:
        """As the kernel ends it when memory is short."""
        self._process.kill()
        self._process.wait()


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trainer]:
    made = Trainer(tmp_path)
    monkeypatch.setenv(sidecar_client.TRAINER, str(made.common))
    monkeypatch.setenv("KEY", "secret")
    environment._missing_beside.cache_clear()
    yield made
    made.lose()


def a_job(folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "training" / "__pycache__").mkdir(parents=True)
    (folder / "training" / "module.py").write_text("network")
    return {"folder": str(folder / "training"), "out": str(folder / "course"), **more}


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answered(common: Path, name: str, **members: str) -> None:
    """What a trainer of bad will may write as the result of the next job."""
    with zipfile.ZipFile(common / name, "w") as made:
        for member, content in members.items():
            made.writestr(member.replace("__", "/").replace("_json", ".json"), content)


def carried_out(common: Path, tmp_path: Path) -> int:
    job = a_job(tmp_path)
    return sidecar_client.carried_out(common, "train", job, tmp_path / "result", tmp_path / "errors", lambda _: None)


def test_a_job_is_done_with_the_authors_files_and_its_own_come_back(beside: Trainer, tmp_path: Path) -> None:
    (tmp_path / "eval.npz").write_text("rows")
    job, told = a_job(tmp_path, evaluation=str(tmp_path / "eval.npz")), list[str]()

    found = environment.run("train", job, tmp_path / "course", told.append)

    assert found == {"path": "deep/model.onnx", "rows": "rows", "keys": ""}
    assert told == ["one", "two"]
    assert environment.below(tmp_path / "course", found["path"]).read_bytes() == b"model of network"
    assert environment.run("train", job, tmp_path / "course", told.append) == found


def test_an_author_s_mistake_comes_back_in_its_own_words(beside: Trainer, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="the training ended early: ValueError: the data gives nothing"):
        environment.run("break", a_job(tmp_path), tmp_path / "course", lambda _: None)


def test_a_training_that_the_kernel_ends_is_said_so(beside: Trainer, tmp_path: Path) -> None:
    with pytest.raises(HostFailure, match="it crashed with SIGKILL"):
        environment.run("devour", a_job(tmp_path), tmp_path / "course", lambda _: None)


def test_a_trainer_that_was_lost_in_mid_job_does_not_begin_it_again(beside: Trainer, tmp_path: Path) -> None:
    def told(line: str) -> None:
        beside.lose()
        beside.start()

    with pytest.raises(HostFailure, match="it crashed with SIGKILL"):
        environment.run("hang", a_job(tmp_path), tmp_path / "course", told)


def test_it_ends_at_once_when_it_is_asked_to(beside: Trainer) -> None:
    until(lambda: (beside.common / "ready").exists())

    assert beside.end() == 128 + 15


def test_nobody_listening_is_told_with_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"nobody listens .* container `trainer` .*config.build.trainImage"):
        sidecar_client.missing(tmp_path, patience=0.1)


def test_what_the_image_lacks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ready").write_text("torch torch_pruning")
    monkeypatch.setenv(sidecar_client.TRAINER, str(tmp_path))
    environment._missing_beside.cache_clear()

    assert environment.against() == (
        "the image of the trainer lacks torch and torch-pruning: set config.build.trainImage to another."
    )


def test_a_link_in_place_of_a_result_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    answered(tmp_path, secret.name, code="0", errors="", result_json="{}")
    (tmp_path / "000.result").symlink_to(secret)

    with pytest.raises(UnsupportedModel, match="gave something that is no result"):
        carried_out(tmp_path, tmp_path)


@pytest.mark.parametrize("made", [os.mkfifo, Path.mkdir, Path.touch], ids=["pipe", "folder", "empty file"])
def test_what_is_no_file_of_the_right_kind_is_no_result(tmp_path: Path, made: Callable[[Path], Any]) -> None:
    made(tmp_path / "000.result")

    with pytest.raises(UnsupportedModel, match="gave something that is no result"):
        carried_out(tmp_path, tmp_path)


def test_files_cannot_be_put_elsewhere(tmp_path: Path) -> None:
    common = tmp_path / "common"
    common.mkdir()
    names = {"out__..__..__beside": "bad", "..__above": "bad", "out__inside": "good"}
    answered(common, "000.result", code="0", errors="", result_json="{}", **names)

    assert carried_out(common, tmp_path) == 0
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {
        "common/000.job", "common/000.result", "training/module.py", "result", "errors", "course/inside",
        "course/beside",
    }  # fmt: skip


def test_more_than_a_model_can_be_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecar_client, "_MOST_BYTES", 100)
    answered(tmp_path, "000.result", code="0", errors="", out__model="x" * 101)

    with pytest.raises(UnsupportedModel, match="it is too large"):
        carried_out(tmp_path, tmp_path)


def test_an_account_that_fills_the_memory_is_refused(tmp_path: Path) -> None:
    answered(tmp_path, "000.result", code="0", errors="", result_json=" " * (1 << 20) + "{}")

    with pytest.raises(UnsupportedModel, match=r"its result\.json is too large"):
        carried_out(tmp_path, tmp_path)


def test_a_link_in_place_of_a_job_is_not_written_through(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("kept")
    (tmp_path / "000.unfinished").symlink_to(mine)

    with pytest.raises(UnsupportedModel, match="gave something that is no result"):
        carried_out(tmp_path, tmp_path)

    assert mine.read_text() == "kept"


@pytest.mark.parametrize("path", ["../model.onnx", "/etc/passwd", "model.onnx/", "nowhere.onnx"])
def test_a_path_that_is_said_has_to_be_a_file_below(tmp_path: Path, path: str) -> None:
    with pytest.raises(UnsupportedModel, match="there is no such file"):
        environment.below(tmp_path, path)


def test_lines_are_told_whole_and_not_without_end(tmp_path: Path) -> None:
    (tmp_path / "000.said").write_text("x" * 5000 + "\nunfinished")
    answered(tmp_path, "000.result", code="3", errors="")
    told = list[str]()

    code = sidecar_client.carried_out(
        tmp_path, "train", a_job(tmp_path), tmp_path / "result", tmp_path / "errors", told.append
    )

    assert (code, told) == (3, ["x" * 200])
    assert json.loads(zipfile.ZipFile(tmp_path / "000.job").read("job.json"))["verb"] == "train"
