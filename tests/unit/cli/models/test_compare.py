"""`modelyard compare` as the rollout's Job runs it: requests from a real store, answers from a real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.builder.triton.v2_http import encode
from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.records.parquet import to_parquet
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import Ran, modelyard, modelyard_here
from tests.support.servers import inference_server, one_port
from tests.support.servers.inference_server import Manners
from tests.support.servers.store import StoreServer

STABLE, CANDIDATE = inference_server.REVISIONS
DIGEST = "sha256:" + "ab" * 32


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    """A store with the warm-up of a build."""
    settings = store_server.settings(store_server.new_bucket())
    feed = {"x": np.array([[0.5, 1.0]], "float32"), "word": np.array(["one"], dtype=object)}
    S3Store(settings).put(keys.build_warmup(DIGEST), encode(feed).content)
    return settings


@pytest.fixture
def manners() -> dict[str, Manners]:
    return {STABLE: Manners(), CANDIDATE: Manners()}


@pytest.fixture
def gateway(manners: dict[str, Manners]) -> Iterator[str]:
    """One address for both protocols."""
    with inference_server.running(manners) as served, one_port.in_front(*served) as url:
        yield url


def compare(where: StoreSettings, gateway: str, folder: Path, *options: str, run: Any = modelyard_here) -> Ran:
    return run(
        "compare", "double", "-n", "demo", "--stable", STABLE, "--candidate", CANDIDATE, "--build", DIGEST,
        "--samples", "3", *options,
        store=where, cwd=folder, MODELYARD_GATEWAY_URL=gateway, MODELYARD_TERMINATION_LOG=str(folder / "words"),
    )  # fmt: skip


def a_report(store: S3Store, inputs: list[object]) -> None:
    """What the build says of its inputs."""
    report = {
        "format": 1, "digest": DIGEST, "model": "double", "target": "cpu", "opset": 18, "files": [], "size": 0,
        "source": {"kind": "entry", "name": "double", "version": "1", "digest": DIGEST},
        "inputs": inputs, "outputs": [], "batching": {"batchable": True, "reason": "", "maxBatchSize": 8},
        "proof": {"server": "", "loadSeconds": 0, "latencyMilliseconds": 0, "largestDifference": {}},
        "warmup": {}, "timings": {}, "builder": "", "created": "",
    }  # fmt: skip
    store.put(keys.build_report(DIGEST), json.dumps(report).encode())


def words(folder: Path) -> dict[str, object]:
    return json.loads((folder / "words").read_text())


def test_a_candidate_that_answers_alike_passes_and_its_report_is_kept(
    where: StoreSettings, gateway: str, tmp_path: Path
) -> None:
    ran = compare(where, gateway, tmp_path, "--publish", "-o", "json")

    assert ran.code == 0, ran.err
    said = words(tmp_path)
    assert said["passed"] is True
    assert set(said) == {"passed", "message", "report"}
    kept = S3Store(where).get(keys.check_report("demo", "double", CANDIDATE, "shadow"))
    assert kept is not None
    assert json.loads(kept) == json.loads(ran.out)


def test_one_that_answers_otherwise_does_not(
    where: StoreSettings, gateway: str, manners: dict[str, Manners], tmp_path: Path
) -> None:
    manners[CANDIDATE].factor = 3.0

    ran = compare(where, gateway, tmp_path, "--publish")

    assert ran.code == 1, ran.err
    assert words(tmp_path)["passed"] is False
    assert "y differs by up to" in str(words(tmp_path)["message"])
    assert "3 of 3 compared requests" in ran.out


def test_what_users_asked_is_asked_again_and_its_report_is_that_of_the_replay(
    where: StoreSettings, gateway: str, manners: dict[str, Manners], tmp_path: Path
) -> None:
    store = S3Store(where)
    inputs = [
        {"name": "x", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "word", "datatype": "BYTES", "shape": [-1]},
    ]
    a_report(store, inputs)
    rows = {"row": np.zeros(2, np.int32), "input.x[0]": np.array([1, 2], "float32"), "input.word": np.array(["a", "b"])}
    key = MinuteKey("demo", "double", STABLE, 1_795_953_600, "w").key(ROWS)
    store.put(key, to_parquet({**rows, "input.x[1]": np.array([3, 4], "float32")}))
    manners[CANDIDATE].factor = 3.0

    ran = compare(where, gateway, tmp_path, "--recorded", "50", "--failures-only", "--publish", "-o", "json")

    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    assert (report["asked"], report["disagreeing"], report["failed"]) == (2, 2, 0)
    assert report["origin"] == "2 recorded requests of demo/double"
    assert S3Store(where).get(keys.check_report("demo", "double", CANDIDATE, "replay")) is not None


@pytest.mark.parametrize(
    ("inputs", "sentence"), [(None, "build the entry again"), ([], "no request of demo/double is recorded")]
)
def test_where_nothing_can_be_asked_again_the_sentence_says_why(
    where: StoreSettings, gateway: str, tmp_path: Path, inputs: list[object] | None, sentence: str
) -> None:
    if inputs is not None:
        a_report(S3Store(where), inputs)

    ran = compare(where, gateway, tmp_path, "--recorded", "50", "--publish")

    assert ran.code == 2
    assert sentence in str(words(tmp_path)["message"])


def test_without_an_answer_the_job_is_to_be_repeated(where: StoreSettings, tmp_path: Path) -> None:
    ran = compare(where, "http://127.0.0.1:1", tmp_path, "--publish", run=modelyard)

    assert ran.code == 2
    assert set(words(tmp_path)) == {"reason", "message"}
    assert "did not answer" in ran.err


def test_a_person_is_told_what_is_wrong_and_no_words_are_left(where: StoreSettings, tmp_path: Path) -> None:
    ran = compare(where, "http://127.0.0.1:1", tmp_path)

    assert ran.code == 1
    assert not (tmp_path / "words").exists()
