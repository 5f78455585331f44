"""The process around the rounds: what it tells of them, and who may begin one."""

import base64
import hashlib
import hmac
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from modelyard.clients.mlflow import MlflowServer
from modelyard.clients.store import S3Store
from modelyard.core.storage import keys
from modelyard.core.storage.synced import SyncHeartbeat
from modelyard.errors import Unreachable
from modelyard.mlflow_sync.followed import FollowedModels
from modelyard.mlflow_sync.process import DELIVERY, SIGNATURE, TIMESTAMP, SyncProcess, endpoints
from modelyard.mlflow_sync.synchronizer import Synchronizer
from modelyard.mlflow_sync.write_back import WriteBack
from tests.support.machine.fake_clock import Clock
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files
from tests.support.servers.mlflow.simulated import SimulatedMlflow

NOW = 1_800_000_000.0
MODEL = {
    "metadata": {"namespace": "demo", "name": "fraud", "uid": "1"},
    "spec": {"source": {"registry": "mlflow", "name": "fraud", "alias": "champion"}},
    "status": {
        "version": "1",
        "revision": "fraud-1",
        "revisions": [
            {"name": "fraud-1", "slot": "a", "digest": "d", "version": "1", "runtime": "r", "stage": "Serving"}
        ],
    },
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(synchronizer: Synchronizer, server: MlflowServer, clock: Clock) -> SyncProcess:
    followed = FollowedModels()
    followed.take_in(None, MODEL)
    return SyncProcess(synchronizer, followed, WriteBack(server, ""), 30, clock)


@pytest.fixture
def address(process: SyncProcess) -> Iterator[str]:
    server = endpoints(process, 0, "hush", lambda: NOW)
    thread = threading.Thread(target=lambda: server.serve_forever(0.05), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def beat(store: S3Store) -> SyncHeartbeat:
    return SyncHeartbeat.model_validate_json(store.get(keys.sync_heartbeat()) or b"")


def counted(process: SyncProcess, name: str, **labels: str) -> float | None:
    return process.registry.get_sample_value(name, labels)


def test_a_round_brings_in_beats_writes_back_and_counts(process: SyncProcess, user: MlflowUser, store: S3Store) -> None:
    user.register("fraud")
    user.register("fraud", onnx_files(flavors={}))
    user.set_alias("fraud", "champion", "1")
    user.set_alias("fraud", "next", "2")
    assert process.ready()[0] is False

    process.once()

    assert (beat(store).failure, process.ready()) == ("", (True, "ok"))
    assert user.tags("fraud", "1") == {"modelyard.stage.demo.fraud": "Serving"}
    assert counted(process, "modelyard_mlflow_rounds_total", outcome="done") == 1
    assert counted(process, "modelyard_mlflow_versions_total") == 1
    assert counted(process, "modelyard_mlflow_refused") == 1


def test_an_outage_is_in_the_heartbeat_and_over_when_it_is(
    process: SyncProcess, mlflow: SimulatedMlflow, store: S3Store
) -> None:
    mlflow.fails = 503
    process.once()
    away = beat(store)
    mlflow.fails = 0
    process.once()

    assert "fails with 503" in away.failure
    assert (beat(store).failure, beat(store).since) == ("", "")
    assert counted(process, "modelyard_mlflow_rounds_total", outcome="failed") == 1


def test_a_store_that_is_away_ends_nothing(process: SyncProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise Unreachable("the store does not answer")

    monkeypatch.setattr(S3Store, "put", away)

    process.once()

    assert process.ready()[0] is False


def test_rounds_go_on_until_the_end_and_a_hint_begins_one(
    process: SyncProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []

    def once() -> None:
        rounds.append(len(rounds))
        process.hint() if len(rounds) < 3 else process.stop()

    monkeypatch.setattr(process, "once", once)

    process.run()

    assert rounds == [0, 1, 2]


def test_a_process_without_rounds_is_restarted(process: SyncProcess, clock: Clock) -> None:
    assert process.healthy() == (True, "ok")
    clock.pass_by(901)
    assert process.healthy() == (False, "no round began for 901 s")


def test_probes_and_metrics_are_answered(address: str) -> None:
    codes = [
        httpx.get(address + path, trust_env=False).status_code for path in ("/healthz", "/readyz", "/metrics", "/")
    ]

    assert codes == [200, 503, 200, 404]


def posted(address: str, body: bytes = b"{}", secret: str = "hush", age: float = 0.0, **headers: str) -> int:
    stamp = str(int(NOW - age))
    mark = hmac.new(secret.encode(), b"d1." + stamp.encode() + b"." + body, hashlib.sha256).digest()
    known = {DELIVERY: "d1", TIMESTAMP: stamp, SIGNATURE: f"v1,{base64.b64encode(mark).decode()}"}
    given = {**known, **{name.replace("_", "-"): value for name, value in headers.items()}}
    path = headers.pop("path", "/webhook")
    return httpx.post(address + path, content=body, headers=given, trust_env=False).status_code


def test_a_signed_webhook_begins_a_round(address: str, process: SyncProcess) -> None:
    assert posted(address) == 202
    assert process._news.is_set()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"secret": "guessed"}, 401),
        ({"age": 301}, 401),
        ({"age": -301}, 401),
        ({"X_MLflow_Timestamp": "soon"}, 401),
        ({"X_MLflow_Signature": "v1,"}, 401),
        ({"path": "/elsewhere"}, 404),
    ],
)
def test_a_webhook_that_nobody_signed_begins_none(
    address: str, process: SyncProcess, given: dict[str, Any], code: int
) -> None:
    assert posted(address, **given) == code
    assert not process._news.is_set()


@pytest.mark.parametrize("length", [str((1 << 20) + 1), "many", "-1", ""])
def test_a_webhook_that_is_too_long_is_not_even_read(address: str, length: str) -> None:
    connection = HTTPConnection(address.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/webhook")
    if length:
        connection.putheader("Content-Length", length)
    connection.endheaders()

    assert connection.getresponse().status == 413
    connection.close()


def test_without_a_secret_no_webhook_is_believed(process: SyncProcess) -> None:
    from modelyard.mlflow_sync.process import signed

    assert not signed("", "d1", str(int(NOW)), b"{}", "v1,", NOW)
