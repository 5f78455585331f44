"""Trainings are written down where a setting says; a tracker that is missing or away costs a sentence."""

import hashlib
import json
import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

import modelyard.builder.optimization.training
from modelyard.builder.optimization.training import sidecar_client
from modelyard.builder.optimization.training.programs.tracking.event_file import _checksum
from modelyard.builder.optimization.training.tracking import KINDS, MLFLOW_URI, TRACK, tracked
from modelyard.errors import InvalidSettings
from tests.support.machine.command_line import modelyard_here
from tests.support.servers.mlflow.real import PYTHON as MLFLOW_PYTHON
from tests.support.servers.mlflow.real import RealMlflow, real_mlflow
from tests.support.servers.store import free_ports
from tests.unit.builder.optimization.training.test_environment import a_training_entry

TRAINING = Path(modelyard.builder.optimization.training.__file__).parent
PROGRAM = Path(__file__).resolve().parents[4] / "support" / "frameworks" / "tracking_program.py"
WANDB_PYTHON = "MODELYARD_WANDB_PYTHON"
MODEL = b"a model"
DIGEST = f"sha256:{hashlib.sha256(MODEL).hexdigest()}"


def ran(folder: Path, track: str = "", run: str = "", python: str = sys.executable, **environment: str) -> Any:
    """How a Python wrote two epochs down, in a folder of its own: the process."""
    (folder / "model.onnx").write_bytes(MODEL)
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "WANDB_", "MODELYARD_"))
    }
    command = [python, "-I", str(PROGRAM), str(TRAINING), track, "tiny", run, str(folder / "model.onnx")]
    return subprocess.run(
        command, cwd=folder, env={**kept, "HOME": str(folder), **environment}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip


def told(done: Any) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_what_nobody_knows_is_refused_and_left_out_means_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (TRACK, MLFLOW_URI, sidecar_client.TRAINER):
        monkeypatch.delenv(name, raising=False)
    assert [tracked(kind) for kind in KINDS if kind != "mlflow"] == ["none", "wandb", "tensorboard"]
    assert tracked() == ""
    with pytest.raises(InvalidSettings, match="MLFLOW_TRACKING_URI names no server"):
        tracked("mlflow")
    monkeypatch.setenv(TRACK, "comet")
    with pytest.raises(InvalidSettings, match="'comet', which is no tracker: write one of none, mlflow, wandb, tensor"):
        tracked()
    monkeypatch.setenv(TRACK, "mlflow")
    monkeypatch.setenv(MLFLOW_URI, "http://mlflow:5000")
    assert tracked() == "mlflow"
    assert tracked("none") == "none"


def test_a_trainer_beside_knows_its_own_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(MLFLOW_URI, raising=False)
    monkeypatch.setenv(sidecar_client.TRAINER, str(tmp_path))

    assert tracked("mlflow") == "mlflow"


@pytest.mark.parametrize(
    ("words", "environment", "sentence"),
    [
        (["--track", "mlflow"], {}, "MLFLOW_TRACKING_URI names no server"),
        ([], {TRACK: "comet"}, "MODELYARD_TRACK is 'comet', which is no tracker"),
    ],
    ids=["no address", "no tracker"],
)
def test_a_wrong_setting_ends_it_before_anything_begins(
    words: list[str], environment: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "entry").mkdir()
    entry = a_training_entry(tmp_path / "entry")

    asked = ("optimize", entry, "--train", "--trust-code", *words)
    refused = modelyard_here(*asked, cwd=tmp_path, **environment)
    alone = modelyard_here("optimize", entry, "--track", "none", cwd=tmp_path)

    assert (refused.code, alone.code) == (2, 2)
    assert sentence in " ".join(refused.err.replace("│", " ").split())
    assert "add --train" in " ".join(alone.err.replace("│", " ").split())
    assert not (entry / "was-run").exists()


def test_without_a_tracker_nothing_is_written(tmp_path: Path) -> None:
    assert told(ran(tmp_path)) == {"run": "", "told": [], "notes": []}
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


@pytest.mark.parametrize(
    ("track", "environment", "package"),
    [("mlflow", {MLFLOW_URI: "http://127.0.0.1:1"}, "mlflow"), ("wandb", {}, "wandb"),
     ("", {MLFLOW_URI: "http://127.0.0.1:1"}, "mlflow")],
    ids=["MLflow", "Weights & Biases", "MLflow by its address alone"],
)  # fmt: skip
def test_a_package_that_is_missing_is_named_and_the_training_goes_on(
    track: str, environment: dict[str, str], package: str, tmp_path: Path
) -> None:
    result = told(ran(tmp_path, track, **environment))

    sentence = (
        f"The training is not logged to {package} any further (the package {package} is not in this Python; install it "
        "there, or log elsewhere); it goes on."
    )
    assert result == {"run": "", "told": [sentence], "notes": [sentence]}


def test_a_word_that_is_no_tracker_ends_the_program(tmp_path: Path) -> None:
    done = ran(tmp_path, **{TRACK: "comet"})

    assert done.returncode != 0
    assert "MODELYARD_TRACK is 'comet', which is no tracker" in done.stderr


def test_a_checksum_is_that_of_the_format() -> None:
    """CRC-32C of nine digits is the check value of its definition; TFRecord rotates it and adds a number."""
    [masked] = struct.unpack("<I", _checksum(b"123456789"))
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF

    assert (rotated >> 17 | rotated << 15) & 0xFFFFFFFF == 0xE3069283


FIELDS = {
    "Event": [("wall_time", 1, 1, ""), ("step", 2, 3, ""), ("file_version", 3, 9, ""), ("summary", 5, 11, "Summary")],
    "Summary": [("value", 1, 11, "Value")],
    "Value": [("tag", 1, 9, ""), ("simple_value", 2, 2, ""), ("tensor", 8, 11, "Tensor"), ("metadata", 9, 11, "Meta")],
    "Tensor": [("dtype", 1, 5, ""), ("string_val", 8, 12, "")],
    "Meta": [("plugin_data", 1, 11, "Plugin")],
    "Plugin": [("plugin_name", 1, 9, "")],
}
"""Name, number and type of fields, as TensorFlow's event.proto and summary.proto have them."""


def events(path: Path) -> list[Any]:
    """The events of a file, read by protobuf itself; every record is as long and as whole as it says."""
    described = descriptor_pb2.FileDescriptorProto(name="events.proto", package="of_tests", syntax="proto3")
    for name, fields in FIELDS.items():
        message = described.message_type.add(name=name)
        for field, number, kind, of in fields:
            label = 3 if (name, field) in (("Summary", "value"), ("Tensor", "string_val")) else 1
            added = message.field.add(name=field, number=number, type=kind, label=label)
            if of:
                added.type_name = f".of_tests.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(described)
    event = message_factory.GetMessageClass(pool.FindMessageTypeByName("of_tests.Event"))
    content, found = path.read_bytes(), []
    while content:
        length = struct.unpack("<Q", content[:8])[0]
        assert content[8:12] == _checksum(content[:8])
        assert content[12 + length : 16 + length] == _checksum(content[12 : 12 + length])
        found.append(event.FromString(content[12 : 12 + length]))
        content = content[16 + length :]
    return found


def test_tensorboard_gets_event_files_and_a_later_process_goes_on_in_the_run(tmp_path: Path) -> None:
    first = told(ran(tmp_path, "tensorboard"))
    again = told(ran(tmp_path, "tensorboard", first["run"], TENSORBOARD_LOGDIR="runs"))

    [folder] = (tmp_path / "runs").iterdir()
    files = sorted(folder.iterdir())
    assert (first["told"], again["run"], folder.name, len(files)) == ([], first["run"], first["run"], 2)
    version, parameters, *scalars, digest = events(files[0])
    assert version.file_version == "brain.Event:2"
    assert [(one.step, one.summary.value[0].tag, one.summary.value[0].simple_value) for one in scalars] == [
        (1, "student/loss", 0.5), (2, "student/loss", 0.25),
    ]  # fmt: skip
    assert b"| distill.epochs | 2 |" in parameters.summary.value[0].tensor.string_val[0]
    assert digest.summary.value[0].tag == "student/digest"
    assert digest.summary.value[0].tensor.string_val == [DIGEST.encode()]
    assert digest.summary.value[0].metadata.plugin_data.plugin_name == "text"


def test_a_folder_that_cannot_be_written_costs_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "full").touch()

    result = told(ran(tmp_path, "tensorboard", TENSORBOARD_LOGDIR=str(tmp_path / "full")))

    assert len(result["told"]) == 1
    assert "not logged to tensorboard any further (NotADirectoryError" in result["told"][0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with real_mlflow(tmp_path_factory.mktemp("mlflow")) as running:
        yield running


_READ = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient()
run = client.get_run(sys.argv[1])
losses = [(one.step, one.value) for one in client.get_metric_history(sys.argv[1], "student/loss")]
print(json.dumps([run.info.status, run.data.params, losses, run.data.tags["student.digest"]]))
"""


@pytest.mark.mlflow
def test_mlflow_itself_has_the_run(server: RealMlflow, tmp_path: Path) -> None:
    python = os.environ[MLFLOW_PYTHON]

    result = told(ran(tmp_path, "mlflow", python=python, **{MLFLOW_URI: server.url}))
    read = subprocess.run(
        [python, "-c", _READ, result["run"]], env={**os.environ, "PYTHONPATH": "", MLFLOW_URI: server.url},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert result["told"] == []
    assert json.loads(read.stdout.splitlines()[-1]) == [
        "FINISHED", {"distill.epochs": "2", "distill.temperature": "4.0"}, [[1, 0.5], [2, 0.25]], DIGEST,
    ]  # fmt: skip


@pytest.mark.mlflow
def test_a_server_that_is_away_costs_one_sentence_without_its_login(tmp_path: Path) -> None:
    away = {
        MLFLOW_URI: f"http://who:secret-word@127.0.0.1:{free_ports(1)[0]}",
        "MLFLOW_TRACKING_PASSWORD": "secret-word",
    }

    result = told(ran(tmp_path, "mlflow", python=os.environ[MLFLOW_PYTHON], **away))

    assert len(result["told"]) == 1
    assert "The training is not logged to mlflow any further (" in result["told"][0]
    assert "secret-word" not in result["told"][0]


@pytest.mark.wandb
def test_wandb_itself_has_the_run_in_its_offline_folder(tmp_path: Path) -> None:
    result = told(ran(tmp_path, "wandb", python=os.environ[WANDB_PYTHON]))

    [folder] = (tmp_path / "wandb").glob("offline-run-*")
    written = b"".join(path.read_bytes() for path in folder.glob("run-*.wandb"))
    assert result["told"] == []
    assert folder.name.endswith(result["run"])
    for words in (b"student/loss", b"distill.epochs", b"student/digest", DIGEST.encode()):
        assert words in written


@pytest.mark.wandb
def test_a_server_of_wandbs_that_is_away_costs_a_sentence(tmp_path: Path) -> None:
    away = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": f"http://127.0.0.1:{free_ports(1)[0]}"}

    result = told(ran(tmp_path, "wandb", python=os.environ[WANDB_PYTHON], **away))

    assert len(result["told"]) == 1
    assert "The training is not logged to wandb any further (" in result["told"][0]
    assert "0" * 40 not in result["told"][0]
