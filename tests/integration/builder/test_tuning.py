"""Tuning with a real Triton: what it is told it does, and what was found is in the artifact."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modelyard.api.report import Report
from modelyard.builder.artifacts.assemble import AssemblyRequest, ProgressSteps, build
from modelyard.builder.artifacts.source import read_source
from modelyard.builder.triton.instance_settings import settings_of
from modelyard.builder.triton.v2_http import encode
from modelyard.builder.tuning.bench import ClientTooSlow, LatencyTarget, TuningBench, bench
from modelyard.builder.tuning.load import saturate
from modelyard.builder.tuning.tuned_artifact import tune_artifact
from modelyard.core.tuning.settings import ServerSettings
from modelyard.errors import HostFailure, InvalidInput, UnsupportedModel
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts.heavy_models import perceptron
from tests.support.machine.command_line import modelyard
from tests.support.servers.triton_homes import save_for_triton

EASY = LatencyTarget(50.0, 1.0)
"""So long that a machine with a hundred other programs keeps it."""
IMPOSSIBLE = LatencyTarget(99.0, 0.00001)
CONFIG = "max_batch_size: 64\ndynamic_batching { }\n"


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artifact of a model that takes long enough for any client."""
    folder = tmp_path_factory.mktemp("tuning")
    source = read_source(models.saved(perceptron(784, 1700), folder / "heavy.onnx"))
    request = AssemblyRequest("heavy", "sha256:" + "0" * 64, _reported(source))
    build(source, request, folder / "out", ProgressSteps())
    return folder / "out"


def _reported(source):
    from modelyard.api.report import BuildSource

    return BuildSource(kind=source.kind, name=source.name, digest=source.digest())


@pytest.fixture(scope="module")
def server(compiled_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TuningBench]:
    folder = tmp_path_factory.mktemp("bench")
    save_for_triton(perceptron(784, 1700), CONFIG, folder / "heavy")
    body = encode({"x": np.ones((1, 784), np.float32)})
    with bench(compiled_home, folder, "heavy", body, EASY, cpus=1) as server:
        server.seconds = 0.3
        yield server


def batches_run(server: TuningBench) -> Counter[int]:
    """How many batches of each size were run since the model was loaded."""
    import httpx

    statistics = httpx.get(f"{server.server.url}/v2/models/heavy/stats", trust_env=False).json()
    batches = statistics["model_stats"][0]["batch_stats"]
    return Counter({batch["batch_size"]: batch["compute_infer"]["count"] for batch in batches})


@pytest.mark.parametrize("batch", [1, 4])
def test_triton_never_runs_more_rows_together_than_it_is_told(server: TuningBench, batch: int) -> None:
    server._load(ServerSettings(1, 1, batch))
    before = batches_run(server)

    together = Counter[int]()
    for _ in range(50):  # a busy client takes more than one try to fill a batch
        saturate(server.server.http_port, server.request, connections=24, seconds=0.3)
        together = batches_run(server) - before
        if batch in together:
            break

    assert max(together) == batch


def test_a_client_may_still_send_more_rows_than_are_put_together(server: TuningBench) -> None:
    import httpx

    server._load(ServerSettings(1, 1, 4))
    body = encode({"x": np.ones((16, 784), np.float32)})

    answer = httpx.post(
        f"{server.server.url}/v2/models/heavy/infer", content=body.content, headers=body.headers, trust_env=False
    )

    assert answer.status_code == 200, answer.text


def test_its_cores_are_those_it_was_given(server: TuningBench) -> None:
    assert len(os.sched_getaffinity(server.server.process.pid)) == 1


def test_settings_are_measured(server: TuningBench) -> None:
    trial, report = server.measure(ServerSettings(1, 1, 8))

    assert trial.capacity > 0.0
    assert trial.saturated > 0.0
    assert report.requests_per_second == round(trial.capacity, 2)
    assert any(point.kept for point in report.points)


def test_a_client_that_cannot_keep_up_gives_no_figure(server: TuningBench) -> None:
    impatient = TuningBench(
        server.server, server.folder, server.config, server.request, LatencyTarget(99.0, 1e-9), cpus=1, seconds=0.1
    )

    with pytest.raises(ClientTooSlow):
        impatient._trustworthy(20.0, 0.2)


def test_settings_that_triton_refuses_are_said(server: TuningBench) -> None:
    broken = TuningBench(
        server.server, server.folder, server.config.replace('"x"', '"z"'), server.request, EASY, cpus=1
    )

    with pytest.raises(UnsupportedModel, match="Triton does not run the model with 1 instance of 1 thread"):
        broken._load(ServerSettings(1, 1, 1))
    server._load(ServerSettings(1, 1, 1))


def test_a_server_that_ends_is_the_machines_failure(compiled_home: Path, tmp_path: Path) -> None:
    save_for_triton(models.doubling(), CONFIG, tmp_path / "toy")
    body = encode({"x": np.ones((1, 3), np.float32)})
    with bench(compiled_home, tmp_path, "toy", body, EASY, cpus=1) as server:
        server.server.process.kill()
        server.server.process.wait()

        with pytest.raises(HostFailure):
            server.measure(ServerSettings(1, 1, 1))
        with pytest.raises(HostFailure):
            server._saturate(1, 0.1)


def test_the_best_is_in_the_report_and_in_the_configuration(artifact: Path, compiled_home: Path) -> None:
    before = Report.model_validate_json((artifact / "report.json").read_bytes())

    tuned = tune_artifact(artifact, compiled_home, EASY, print, cpus=1, most=2, seconds=0.3)

    written = Report.model_validate_json((artifact / "report.json").read_bytes())
    assert written == tuned
    assert tuned.tuning is not None
    assert tuned.tuning.requests_per_second is not None
    assert tuned.tuning.requests_per_second > 0.0
    assert 1 <= len(tuned.tuning.trials) <= 2
    config = artifact / "repository" / "heavy" / "config.pbtxt"
    chosen = tuned.tuning.settings
    assert settings_of(config.read_text(), 1) == ServerSettings(
        chosen.instances, chosen.threads, chosen.batch, chosen.delay
    )
    assert {file.path for file in tuned.files} == {file.path for file in before.files}
    assert next(file.size for file in tuned.files if file.path.endswith("config.pbtxt")) == config.stat().st_size


def test_an_impossible_objective_changes_nothing_and_says_the_best_there_is(artifact: Path, tmp_path: Path) -> None:
    before = (artifact / "repository" / "heavy" / "config.pbtxt").read_text()

    ran = modelyard(
        "tune", artifact, "--slo", "p99=0.01ms", "--cpus", "1", "--seconds", "0.3", "-o", "json", cwd=tmp_path
    )

    tuning = json.loads(ran.out)
    assert ran.code == 1
    assert tuning["requestsPerSecond"] == 0.0
    assert "p99<0.01ms cannot be kept: one request alone takes" in tuning["reason"]
    assert (artifact / "repository" / "heavy" / "config.pbtxt").read_text() == before


def test_a_file_is_built_first_and_then_tuned(tmp_path: Path) -> None:
    path = models.saved(perceptron(784, 1700), tmp_path / "heavy.onnx")

    ran = modelyard("tune", path, "--slo", "p50=1s", "--cpus", "1", "--most", "1", "--seconds", "0.3", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert "REQ/S AT P50<1000MS" in ran.out
    assert "The usual settings keep p50<1000ms up to" in ran.out
    assert (tmp_path / "heavy-build" / "report.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--slo", "fast"), "write p99=50ms"),
        (("--slo", "p20=50ms"), "percentile from 50 to 99.99"),
        (("--slo", "p99=50"), "write p99=50ms"),
        ((), "say what is to be kept"),
        (("--slo", "p99=50ms", "--cpus", "10000"), "this machine has"),
    ],
)
def test_a_mistake_is_said_before_anything_is_done(
    artifact: Path, tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    ran = modelyard("tune", artifact, *arguments, cwd=tmp_path)

    assert ran.code == 2
    assert words in " ".join(ran.err.replace("│", " ").split())


def test_what_is_no_report_and_what_is_for_a_gpu_is_refused(artifact: Path, compiled_home: Path) -> None:
    report = artifact / "report.json"
    content = report.read_text()
    report.write_text(content.replace('"target": "cpu"', '"target": "gpu"'))

    with pytest.raises(UnsupportedModel, match="built for a GPU"):
        tune_artifact(artifact, compiled_home, EASY, print)
    report.write_text("{}")
    with pytest.raises(InvalidInput, match="no report of a build"):
        tune_artifact(artifact, compiled_home, EASY, print)
    report.write_text(content)
