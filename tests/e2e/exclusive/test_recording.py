"""Requests of a Model are recorded on the cluster: what was asked lies in the store, and nobody feels it.

Needs the image of the recorder, so it is a proof. The platform is put back to where nothing is recorded.
"""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from modelyard.clients.store import S3Store
from modelyard.core.storage.monitoring_keys import COUNTS, ROWS, model_prefix
from modelyard.records.parquet import from_parquet
from modelyard.settings import StoreSettings
from tests.support.cluster.control_plane import pod_processes
from tests.support.cluster.kubectl import CONFIG, eventually, get, items, kubectl
from tests.support.cluster.local_cluster import localcluster
from tests.support.cluster.models import Load, a_model, applied, until
from tests.support.cluster.watch import Watch
from tests.support.recording.counted import recorded

pytestmark = pytest.mark.proof
PLATFORM = "modelyard-system"
TENSOR = "input:1,1,8,8"
RECORDED = {"sample": "100%", "log": {"columns": ["*"]}}


@pytest.fixture(scope="module", autouse=True)
def _recorder() -> Iterator[None]:
    localcluster("up", "--addons", "recording")
    yield
    localcluster("up")


def store() -> S3Store:
    """The bucket, as the person at this machine reaches it."""
    return S3Store(StoreSettings.model_validate(yaml.safe_load(CONFIG.read_text())["store"]))


def written(namespace: str, suffix: str) -> list[str]:
    return [stored.key for stored in store().list(model_prefix(namespace, "digits")) if stored.key.endswith(suffix)]


def rows(namespace: str) -> dict[str, Any]:
    return from_parquet([store().get(key) or b"" for key in written(namespace, ROWS)])


def sampled(namespace: str) -> list[str]:
    """Recorded routes that the gateway takes from the platform's policy."""
    policy = get("envoyextensionpolicy", "modelyard-recorder", PLATFORM) or {}
    ancestors = policy.get("status", {}).get("ancestors", [])
    accepted = all(one["status"] == "True" for ancestor in ancestors for one in ancestor["conditions"])
    names = [
        route["metadata"]["name"] for route in items("httproutes,grpcroutes", namespace, "modelyard.dev/recorded=true")
    ]
    return names if ancestors and accepted else []


def connections_are_recorded(namespace: str) -> bool:
    """Whether new connections are: the policy is accepted before Envoy has it, and old ones stay as they were."""
    before = recorded()
    asked = ended(both(namespace))
    time.sleep(1)
    return recorded() - before == asked


def both(namespace: str) -> list[Load]:
    """Load over HTTP and over gRPC, under way."""
    loads = [Load(protocol, "digits", namespace, TENSOR, 10) for protocol in ("http", "grpc")]
    for load in loads:
        load.begun()
    return loads


def ended(loads: list[Load]) -> int:
    """How many requests there were; none may have failed."""
    counted = [load.ended() for load in loads]
    assert [one["failures"] for one in counted] == [0, 0], counted
    return sum(one["requests"] for one in counted)


def test_what_was_asked_lies_in_the_store_and_a_recorder_that_is_gone_costs_nothing(namespace: str) -> None:
    applied(a_model("digits", namespace, monitoring=RECORDED))
    until("digits", namespace, "Ready", "True")
    before = recorded()
    eventually(lambda: len(sampled(namespace)) == 3, "the gateway has been told to record", 60)
    eventually(lambda: connections_are_recorded(namespace), "the gateway records", 60)
    loads = both(namespace)
    time.sleep(20)
    assert ended(loads) > 0
    asked = recorded() - before
    found = eventually(lambda: (kept := rows(namespace)) and len(kept["request_id"]) >= asked and kept, "all rows", 150)
    assert len(set(found["request_id"].tolist())) == asked == len(found["request_id"])
    assert {name for name in found if name.startswith("input.")} == {f"input.input[{at}]" for at in range(64)}
    assert set(found["share"].tolist()) == {1}
    assert written(namespace, COUNTS), "rows are counted by the reference that the build made"

    if frozen := pod_processes("recorder"):  # elsewhere than on this machine nobody can be stopped
        loads = both(namespace)
        os.kill(*frozen.values(), signal.SIGSTOP)
        time.sleep(20)
        os.kill(*frozen.values(), signal.SIGCONT)
        assert ended(loads) > 0

    loads = both(namespace)
    kubectl("scale", "-n", PLATFORM, "deploy/modelyard-recorder", "--replicas=0")
    eventually(lambda: not items("pods", PLATFORM, "app.kubernetes.io/component=recorder"), "the recorder is gone", 120)
    kubectl("scale", "-n", PLATFORM, "deploy/modelyard-recorder", "--replicas=1")
    kubectl("rollout", "status", "-n", PLATFORM, "deploy/modelyard-recorder", "--timeout=120s")
    assert ended(loads) > 0

    loads = both(namespace)
    applied(a_model("digits", namespace))
    eventually(lambda: not items("httproutes,grpcroutes", namespace, "modelyard.dev/recorded=true"), "routes go", 60)
    eventually(lambda: not items("referencegrants", namespace), "the permission goes", 60)
    assert ended(loads) > 0


def test_a_candidate_is_asked_what_users_asked_before_any_of_them(namespace: str) -> None:
    rollout = {"strategy": "Canary", "steps": [{"weight": 50}], "bake": "5s", "replay": {"rows": 100}}
    applied(a_model("digits", namespace, monitoring=RECORDED))
    until("digits", namespace, "Ready", "True")
    eventually(lambda: connections_are_recorded(namespace), "the gateway records", 90)
    loads = both(namespace)
    time.sleep(8)
    assert ended(loads) > 100
    eventually(lambda: len(rows(namespace).get("request_id", ())) >= 100, "rows lie in the store", 150)

    loads = both(namespace)
    with Watch("model", "digits", namespace) as watch:
        applied(a_model("digits", namespace, "digits", "2", monitoring=RECORDED, rollout=rollout))
        watch.until(lambda model: gate(model, "replay") == "Pass", "what was recorded has been asked again", 240)
        until("digits", namespace, "Reconciling", "False", "Done", 400)
    seen = [sight.thing["status"] for sight in watch.seen]
    assert ended(loads) > 0
    tested = [status for status in seen if status.get("rollout", {}).get("phase") == "Testing"]
    assert tested
    assert {status["rollout"].get("weight", 0) for status in tested} == {0}
    model = get("model", "digits", namespace) or {}
    report = model["status"]["rollout"]["report"]["replay"]
    assert (report["asked"], report["compared"], report["failed"]) == (100, 100, 0)
    assert model["status"]["rollout"]["history"][0]["outcome"] == "Promoted"


def gate(model: dict[str, Any], name: str) -> str:
    """The verdict of a gate; empty while there is none."""
    gates = model["status"].get("rollout", {}).get("gates", [])
    return next((one["verdict"] for one in gates if one["name"] == name), "")
