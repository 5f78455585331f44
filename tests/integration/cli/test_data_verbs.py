"""`modelyard data` as a person types it: rows in a real store, the key of hashes on a real API server."""

import base64
import time
from pathlib import Path

import numpy as np
import pytest

from modelyard.clients.store import S3Store
from modelyard.core.storage.monitoring_keys import ROWS, MinuteKey
from modelyard.recorder.redaction import hashed, model_key
from modelyard.records.parquet import from_parquet, to_parquet
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import StoreServer

pytestmark = pytest.mark.integration
KEY = b"a key of the platform"
NAMESPACE = "recorded-platform"


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    """A bucket with two requests of a Model, the customer of one as a hash, and one of three weeks ago."""
    settings = store_server.settings(store_server.new_bucket())
    store, now = S3Store(settings), int(time.time()) // 60 * 60
    hidden = hashed("4711", model_key(KEY, "demo", "loans"))
    for number, (minute, customer) in enumerate([(now, hidden), (now, "9"), (now - 21 * 86_400, hidden)]):
        rows = {
            "request_id": np.array([f"r{number}"], object),
            "input.customer": np.array([customer], object),
            "input.age": np.array([30.0 + number]),
        }
        store.put(MinuteKey("demo", "loans", "loans-1", minute, f"w{number}").key(ROWS), to_parquet(rows))
    return settings


@pytest.fixture
def modelyard(apiserver: RealApiServer, where: StoreSettings, tmp_path: Path) -> "Verbs":
    apiserver.run("kubectl", "create", "namespace", NAMESPACE)
    literal = f"--from-literal=key={KEY.decode()}"
    apiserver.run("kubectl", "create", "secret", "generic", "modelyard-recorder-key", literal, "-n", NAMESPACE)
    return Verbs(apiserver, where, tmp_path)


class Verbs:
    """The command line of a person who reaches both."""

    def __init__(self, apiserver: RealApiServer, where: StoreSettings, folder: Path) -> None:
        self.folder, self.store = folder, S3Store(where)
        self._variables = {
            "KUBECONFIG": str(apiserver.kubeconfig),
            "MODELYARD_OPERATOR_NAMESPACE": NAMESPACE,
            "MODELYARD_STORE_ENDPOINT": where.endpoint,
            "MODELYARD_STORE_BUCKET": where.bucket,
            "MODELYARD_STORE_ACCESS_KEY_ID": where.access_key_id,
            "MODELYARD_STORE_SECRET_ACCESS_KEY": where.secret_access_key.get_secret_value(),
        }

    def __call__(self, *words: str) -> Ran:
        return modelyard_here("data", *words, cwd=self.folder, **self._variables)

    def requests(self) -> list[str]:
        keys = [stored.key for stored in self.store.list("monitor/") if stored.key.endswith(ROWS)]
        return sorted(from_parquet([self.store.get(key) or b"" for key in keys])["request_id"].tolist())


def test_rows_of_the_last_days_are_exported_into_one_file(modelyard: Verbs) -> None:
    file = modelyard.folder / "rows.parquet"
    done = modelyard("export", "loans", "-n", "demo", "--to", str(file))
    assert (done.code, "2 rows of 2 files" in done.out) == (0, True), done
    assert sorted(from_parquet([file.read_bytes()])["request_id"].tolist()) == ["r0", "r1"]
    again = modelyard("export", "loans", "-n", "demo", "--to", str(file))
    assert again.code != 0
    assert "is there already" in again.err
    nobody = modelyard("export", "nobody", "-n", "demo", "--to", str(modelyard.folder / "none.parquet"))
    assert nobody.code != 0
    assert "there are no recorded rows of demo/nobody" in nobody.err
    assert not (modelyard.folder / "none.parquet").exists()


def test_a_person_is_deleted_by_a_value_of_which_only_the_hash_is_there(modelyard: Verbs) -> None:
    done = modelyard("delete", "loans", "-n", "demo", "--column-value", "customer=4711")
    assert (done.code, "deleted 2 rows in 2 files" in done.out) == (0, True), done
    assert modelyard.requests() == ["r1"]
    assert "there are no such rows" in modelyard("delete", "loans", "-n", "demo", "--column-value", "customer=4711").out
    everything = b"".join(modelyard.store.get(stored.key) or b"" for stored in modelyard.store.list(""))
    assert hashed("4711", model_key(KEY, "demo", "loans")).encode() not in everything
    assert base64.b64encode(KEY) not in everything


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say whose rows"),
        (("--request-id", "r1", "--column-value", "age=3"), "say whose rows"),
        (("--column-value", "customer"), "names no value"),
        (("--column-value", "person=4711"), "no recorded row has a column person: the columns are age, customer"),
    ],
)
def test_a_question_that_means_nobody_changes_nothing(modelyard: Verbs, words: tuple[str, ...], told: str) -> None:
    done = modelyard("delete", "loans", "-n", "demo", *words)
    assert done.code != 0
    assert told in done.err
    assert modelyard.requests() == ["r0", "r1", "r2"]
