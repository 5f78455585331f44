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


def test_without_an_answer_the_job_is_to_be_repeated(where: StoreSettings, tmp_path: Path) -> None:
    ran = compare(where, "http://127.0.0.1:1", tmp_path, "--publish", run=modelyard)

    assert ran.code == 2
    assert set(words(tmp_path)) == {"reason", "message"}
    assert "did not answer" in ran.err


def test_a_person_is_told_what_is_wrong_and_no_words_are_left(where: StoreSettings, tmp_path: Path) -> None:
    ran = compare(where, "http://127.0.0.1:1", tmp_path)

    assert ran.code == 1
    assert not (tmp_path / "words").exists()
