"""Real runs of the Locust suite against a real server of the Open Inference Protocol, over HTTP and gRPC."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from tests.support.cluster.locust import REQUEST, Loaded, load
from tests.support.servers import inference_server, one_port
from tests.support.servers.inference_server import Manners
from tests.support.servers.store import StoreServer

STABLE, CANDIDATE = inference_server.REVISIONS
DIGEST = "sha256:" + "ab" * 32
Load = Callable[..., Loaded]


@pytest.fixture
def manners() -> dict[str, Manners]:
    """How the two revisions answer; well unless a test says otherwise."""
    return {STABLE: Manners(), CANDIDATE: Manners()}


@pytest.fixture
def on_candidate(manners: dict[str, Manners], tmp_path: Path) -> Iterator[Load]:
    """Runs a short load on the candidate."""
    with inference_server.running(manners) as served, one_port.in_front(*served) as url:

        def run(*flags: str, without: tuple[str, ...] = (), **more: Any) -> Loaded:
            usual = {"--revision": CANDIDATE, "--rate": "20", "--duration": "3"}
            pinned = [word for name, value in usual.items() if name not in without for word in (name, value)]
            return load(url, tmp_path, *pinned, *flags, request="--request" not in without, **more)

        yield run


def test_a_good_candidate_passes_over_both_protocols(on_candidate: Load, manners: dict[str, Manners]) -> None:
    ran = on_candidate("--load-test-id", "one")

    assert ran.code == 0, ran.err
    assert ran.words["passed"] is True
    assert ran.words["message"] == ran.report["message"]
    assert ran.report["failed"] == 0
    assert ran.report["latency"]["http"]["requests"] == ran.report["latency"]["grpc"]["requests"] == 30
    assert ran.report["message"] in ran.out
    assert manners[STABLE].headers == [], "every request is pinned"
    marks = Counter(headers["x-modelyard-load-test"] for headers in manners[CANDIDATE].headers)
    assert marks == {"one": len(manners[CANDIDATE].headers)}


def test_a_candidate_that_fails_over_grpc_alone_does_not_pass(on_candidate: Load, manners: dict[str, Manners]) -> None:
    manners[CANDIDATE].fails_each, manners[CANDIDATE].fails_over = 2, ("grpc",)

    ran = on_candidate()

    assert ran.code == 1, ran.err
    assert ran.words["passed"] is False
    assert list(ran.report["reasons"]) == ["gRPC INTERNAL"]
    assert "most often gRPC INTERNAL" in ran.words["message"]


def test_users_wait_for_grpc_at_the_same_time(on_candidate: Load, manners: dict[str, Manners]) -> None:
    """Of calls that wait one after the other no more than four a second are answered, and the test does not pass."""
    manners[CANDIDATE].delay = 0.25

    ran = on_candidate("--grpc-share", "1")

    assert ran.code == 0, ran.out + ran.err
    assert ran.report["latency"]["all"]["p50"] >= 250.0


def test_a_candidate_slower_than_its_objective_does_not_pass(on_candidate: Load, manners: dict[str, Manners]) -> None:
    manners[CANDIDATE].delay = 1.5

    ran = on_candidate("--latency", "0.5", "--percentile", "95")

    assert ran.code == 1, ran.err
    [errors, latency] = ran.report["objectives"]
    assert (errors["bad"], latency["verdict"]) == (0, "Fail")
    assert "took longer than 500 ms" in ran.words["message"]


def test_an_answer_by_another_revision_gives_no_verdict(on_candidate: Load, manners: dict[str, Manners]) -> None:
    manners[CANDIDATE].as_revision = STABLE

    ran = on_candidate()

    assert ran.code == 2
    assert ran.words["reason"] == "Unusable"
    assert f"revision {CANDIDATE} was asked and {STABLE} answered" in ran.words["message"]
    assert len(manners[CANDIDATE].headers) == 1, "nobody is put under load for nothing"


def test_an_address_where_nobody_answers_gives_no_verdict(tmp_path: Path) -> None:
    ran = load("http://127.0.0.1:1", tmp_path)

    assert ran.code == 2
    assert "does not answer over http (HTTP ConnectionRefusedError)" in ran.words["message"]


def test_the_number_of_requests_is_bounded(on_candidate: Load, manners: dict[str, Manners]) -> None:
    ran = on_candidate("--most-requests", "20", "--duration", "60")

    assert ran.code == 0, ran.err
    assert ran.report["requests"] == 20


def test_a_scenario_changes_the_load_while_it_runs(on_candidate: Load, tmp_path: Path) -> None:
    scenario = tmp_path / "rising.yaml"
    scenario.write_text("model: double\nduration: 6s\nload: {steps: {from: 5, by: 15, every: 3s}}\n")

    ran = on_candidate("--scenario", str(scenario), without=("--rate", "--duration"))

    assert ran.code == 0, ran.out + ran.err
    slow, fast = ran.report["parts"]
    assert (slow["requests"], fast["requests"]) == (15, 60)


def test_looking_for_a_limit_ends_with_the_first_step_that_is_not_kept(
    on_candidate: Load, manners: dict[str, Manners], tmp_path: Path
) -> None:
    manners[CANDIDATE].fails_each = 1
    scenario = tmp_path / "limit.yaml"
    scenario.write_text(
        "model: double\nduration: 200s\nload: {steps: {from: 5, by: 1, every: 2s, untilMissed: true}}\n"
    )

    ran = on_candidate("--scenario", str(scenario), without=("--rate", "--duration"))

    assert ran.code == 1, ran.out + ran.err
    assert ran.report["highestKept"] is None
    assert (ran.report["parts"][0]["requests"], ran.report["parts"][0]["kept"]) == (10, False)
    assert len(ran.report["parts"]) < 100, "it does not go on for 200 seconds"


def test_different_inputs_go_out_in_turn_over_all_three_protocols(
    on_candidate: Load, manners: dict[str, Manners], tmp_path: Path
) -> None:
    scenario = tmp_path / "inputs.yaml"
    scenario.write_text(
        "model: double\nload: {steady: {rate: 10}}\nduration: 3s\ngrpcShare: 0.2\nbinaryShare: 0.4\n"
        "inputs: {count: 5, tensors: [{name: x, datatype: FP32, shape: [1, 2]},"
        " {name: word, datatype: BYTES, shape: [1], values: [a, b]}]}\n"
    )

    ran = on_candidate("--scenario", str(scenario), without=("--rate", "--duration", "--request"))

    assert ran.code == 0, ran.out + ran.err
    assert {name: ran.report["latency"][name]["requests"] for name in ("http", "binary", "grpc")} == {
        "http": 12, "binary": 12, "grpc": 6,
    }  # fmt: skip
    assert ran.report["byRevision"][CANDIDATE]["requests"] == 30
    assert (tmp_path / "report.html").read_text().count("<svg") == 4


def test_a_recorded_load_is_sent_request_by_request(on_candidate: Load, tmp_path: Path) -> None:
    (tmp_path / "recorded.csv").write_text("".join(f"{at / 10}\n" for at in range(31)))
    scenario = tmp_path / "replay.yaml"
    scenario.write_text("model: double\nload: {trace: {file: recorded.csv}}\ngrpcShare: 0\n")

    ran = on_candidate("--scenario", str(scenario), without=("--rate", "--duration"))

    assert ran.code == 0, ran.out + ran.err
    assert ran.report["requests"] == 31


def test_several_processes_add_up_to_one_report(on_candidate: Load) -> None:
    ran = on_candidate("--processes", "2", "--duration", "5")

    assert ran.code == 0, ran.out + ran.err
    assert ran.report["latency"]["http"]["requests"] == ran.report["latency"]["grpc"]["requests"] == 50


def test_more_processes_than_the_rate_needs_users_send_all_of_it(on_candidate: Load) -> None:
    ran = on_candidate("--processes", "4", "--rate", "2", "--duration", "4")

    assert ran.code == 0, ran.out + ran.err
    assert (ran.report["requests"], ran.report["failed"]) == (8, 0)


def test_a_job_takes_its_request_from_the_store_and_leaves_its_report_there(
    on_candidate: Load, store_server: StoreServer
) -> None:
    where = store_server.settings(store_server.new_bucket())
    bucket = S3Store(where)
    bucket.put(keys.build_warmup(DIGEST), REQUEST)

    ran = on_candidate("--build", DIGEST, "--publish", store=where)

    assert ran.code == 0, ran.err
    kept = bucket.get(keys.check_report("demo", "double", CANDIDATE, "loadTest"))
    assert kept is not None
    assert json.loads(kept) == ran.report


def test_a_store_without_the_build_gives_no_verdict(on_candidate: Load, store_server: StoreServer) -> None:
    ran = on_candidate("--build", DIGEST, store=store_server.settings(store_server.new_bucket()))

    assert ran.code == 2
    assert ran.words["reason"] == "CorruptEntry"
