"""build and serve as a person types them, and build as the cluster's Job runs it."""

import json
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from modelyard.cli.main import TERMINATED
from modelyard.clients.store import S3Store
from modelyard.settings import StoreSettings
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import PROGRAM, modelyard, modelyard_here, surroundings
from tests.support.machine.local_serving import address, serving
from tests.support.servers.store import StoreServer


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_a_lone_file_becomes_an_artifact_and_the_report_tells_what_it_takes(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "My Model.onnx")

    ran = modelyard("build", path, "--out", tmp_path / "out", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert ran.out.startswith("my-model: good")
    assert "takes    x FP32[-1, 3]" in ran.out
    assert (tmp_path / "out" / "repository" / "my-model" / "1" / "model.onnx").is_file()


def test_files_of_the_working_directory_that_are_called_like_modules_are_left_alone(tmp_path: Path) -> None:
    """Neither the processes that try a model nor the interpreter inside Triton import them."""
    models.saved(models.doubling(), tmp_path / "m.onnx")
    for name in ("json", "types", "enum", "numpy", "onnx", "onnxruntime", "modelyard_serving", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('imported from the working directory')\n")

    ran = modelyard("build", "m.onnx", "--out", "out", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert "proved   one inference by Triton" in ran.out


def test_a_name_kubernetes_would_refuse_is_refused(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "m.onnx")

    for name in ("Big", "a--b", "x" * 41, "-a"):
        ran = modelyard("build", path, f"--name={name}", cwd=tmp_path)
        assert ran.code == 2
        assert "is not a usable model name" in ran.err


def test_the_jobs_command_publishes_and_repeating_it_is_free(where: StoreSettings, tmp_path: Path) -> None:
    modelyard("push", an_entry(tmp_path / "toy"), store=where, cwd=tmp_path)
    command = ("build", "toy:1", "--name", "mine", "--target", "cpu", "--publish", "-o", "json")

    first = modelyard(*command, store=where, cwd=tmp_path)
    again = modelyard(*command, store=where, cwd=tmp_path)

    assert (first.code, again.code) == (0, 0), first.err
    assert json.loads(first.out) == json.loads(again.out)
    assert again.err.strip() == "already built"


def test_an_entry_can_be_built_here_by_version_or_alias(where: StoreSettings, tmp_path: Path) -> None:
    modelyard("push", an_entry(tmp_path / "toy"), store=where, cwd=tmp_path)
    modelyard("alias", "set", "toy", "champion", "1", store=where, cwd=tmp_path)

    ran = modelyard("build", "toy@champion", "--out", tmp_path / "out", "-o", "json", store=where, cwd=tmp_path)

    source = json.loads(ran.out)["source"]
    assert (source["kind"], source["name"], source["version"]) == ("entry", "toy", "1")


def test_a_failed_job_leaves_the_sentence_where_the_operator_reads_it(where: StoreSettings, tmp_path: Path) -> None:
    log = tmp_path / "termination-log"

    ran = modelyard("build", "toy:1", "--publish", store=where, cwd=tmp_path, MODELYARD_TERMINATION_LOG=str(log))

    assert ran.code == 2
    word = json.loads(log.read_text())
    assert word["reason"] == "UnknownEntry"
    assert word["message"] == ran.err.strip()


def test_a_job_that_is_evicted_ends_at_once_and_publishes_nothing(where: StoreSettings, tmp_path: Path) -> None:
    modelyard("push", an_entry(tmp_path / "toy"), store=where, cwd=tmp_path)
    process = subprocess.Popen(
        [PROGRAM, "build", "toy:1", "--publish", "--optimize", "{}"],
        cwd=tmp_path,
        env=surroundings(where, PYTHONUNBUFFERED="1"),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert any("trying the original" in line for line in process.stderr)
    process.terminate()

    assert process.wait(60) == TERMINATED
    reports = [one.key for one in S3Store(where).list("builds/") if one.key.endswith("/report.json")]
    assert reports == []


def test_the_printed_curl_answers_until_ctrl_c(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "toy.onnx")

    with serving(path, tmp_path) as (process, curl):
        answered = subprocess.run(curl, capture_output=True, text=True, check=True)
        process.send_signal(signal.SIGINT)
        code = process.wait(60)

    sent = json.loads(curl[-1])["inputs"][0]["data"]
    assert json.loads(answered.stdout)["outputs"][0]["data"] == pytest.approx([2 * value for value in sent])
    assert code == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address(curl)}/v2", trust_env=False)


def test_triton_ends_even_when_the_program_is_killed(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "toy.onnx")

    with serving(path, tmp_path) as (process, curl):
        process.kill()

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _answers(f"{address(curl)}/v2"):
        time.sleep(0.2)
    assert not _answers(f"{address(curl)}/v2")


def test_a_port_in_use_is_named(tmp_path: Path, store_server: StoreServer) -> None:
    path = models.saved(models.doubling(), tmp_path / "toy.onnx")
    taken = store_server.endpoint.rsplit(":", 1)[1]

    ran = modelyard("serve", path, "--http-port", taken, cwd=tmp_path)

    assert ran.code == 2
    assert f"port {taken} is in use; choose another with --http-port" in ran.err


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False


def test_a_build_here_takes_another_reference_and_says_what_is_watched(tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "m.onnx")
    (tmp_path / "rows.csv").write_text("a,b,c\n" + "".join(f"{at}.5,{at % 7},0.5\n" for at in range(100)))

    ran = modelyard_here("build", path, "--out", "out", "--reference", "rows.csv", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert "watched  3 features of 100 rows, rows.csv" in ran.out
    assert '"a"' in (tmp_path / "out" / "profile.json").read_text()
