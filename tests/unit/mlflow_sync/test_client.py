"""The client of MLflow's API, against a simulated server and, where there is one, a real one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from modelyard.clients.mlflow import MlflowServer, RegisteredModel
from modelyard.errors import InvalidEntry, InvalidSettings, ModelyardError, Refused, Throttled, Unreachable
from modelyard.mlflow_settings import MlflowSettings
from tests.support.servers.answering_server import OK, answering
from tests.support.servers.mlflow.calls import MlflowUser
from tests.support.servers.mlflow.real import real_mlflow
from tests.support.servers.mlflow.simulated import SimulatedMlflow, simulated_mlflow

REAL = pytest.param("real", marks=pytest.mark.mlflow)


@pytest.fixture(scope="module", params=["simulated", REAL])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Both kinds of server, one after the other."""
    if request.param == "simulated":
        with simulated_mlflow() as simulated:
            yield simulated.url
    else:
        with real_mlflow(tmp_path_factory.mktemp("mlflow")) as real:
            yield real.url


@pytest.fixture
def somebody(url: str) -> MlflowUser:
    return MlflowUser(url)


@pytest.fixture
def client(url: str) -> Iterator[MlflowServer]:
    made = MlflowServer(MlflowSettings(url=url + "/"))
    yield made
    made.close()


def listed(client: MlflowServer, name: str) -> RegisteredModel:
    return next(model for model in client.models() if model.name == name)


def test_what_is_registered_is_listed_with_its_aliases(client: MlflowServer, somebody: MlflowUser) -> None:
    first = somebody.register("Fraud Check")
    somebody.set_alias("Fraud Check", "champion", first)
    somebody.register("Fraud Check")

    found = listed(client, "Fraud Check")

    assert (dict(found.aliases), found.newest, found.created > 0) == ({"champion": "1"}, "2", True)


def test_the_newest_is_the_greatest_number(client: MlflowServer, somebody: MlflowUser) -> None:
    for _ in range(10):
        somebody.register("often")

    assert listed(client, "often").newest == "10"


def test_files_are_listed_and_read_through_the_proxy(
    client: MlflowServer, somebody: MlflowUser, tmp_path: Path
) -> None:
    somebody.register("files", {"MLmodel": b"flavors: {}", "a b.data": b"12345", "deep/er.txt": b"x"}, {"auc": 0.5})
    version = client.version("files", "1")
    assert version is not None
    folder = client.folder("files", "1")

    client.download(folder, "a b.data", tmp_path / "here")

    assert client.files(folder) == {"MLmodel": 11, "a b.data": 5}
    assert (tmp_path / "here").read_bytes() == b"12345"
    assert (version.status, version.source.startswith("models:/m-")) == ("READY", True)
    assert client.metrics(version.run_id) == {"auc": 0.5}
    with pytest.raises(InvalidEntry, match="MLflow has no file gone"):
        client.download(folder, "gone", tmp_path / "gone")
    with pytest.raises(InvalidEntry, match="unsafe path"):
        client.download(folder, "../../secret", tmp_path / "gone")


@pytest.mark.parametrize("version", ["9", "abc", "١"])
def test_a_version_that_is_not_there_is_none(client: MlflowServer, somebody: MlflowUser, version: str) -> None:
    somebody.register("versions")

    assert client.version("versions", version) is None
    assert client.version("nothing", "1") is None
    assert client.metrics("0" * 31 + "z") == {}


def test_tags_and_aliases_are_written(client: MlflowServer, somebody: MlflowUser) -> None:
    somebody.register("written")

    assert client.set_tag("written", "1", "modelyard.stage.demo.fraud", "Serving")
    assert client.set_alias("written", "champion", "1")

    assert somebody.tags("written", "1") == {"modelyard.stage.demo.fraud": "Serving"}
    assert somebody.aliases("written") == {"champion": "1"}
    assert not client.set_tag("written", "7", "a", "b")
    assert not client.set_alias("written", "champion", "7")


def test_a_deleted_version_takes_its_aliases_along(client: MlflowServer, somebody: MlflowUser) -> None:
    for _ in range(2):
        somebody.register("deleted")
    somebody.set_alias("deleted", "champion", "2")

    somebody.delete_version("deleted", "2")

    assert dict(listed(client, "deleted").aliases) == {}
    assert client.version("deleted", "2") is None
    assert somebody.register("deleted") == "3"


def test_a_list_of_many_pages_is_read_to_its_end(mlflow: SimulatedMlflow, server: MlflowServer) -> None:
    mlflow.page = 2
    mlflow.models = {f"m{number}": {"name": f"m{number}", "aliases": {}} for number in range(5)}

    assert [model.name for model in server.models()] == ["m0", "m1", "m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Refused, "check mlflow.username"),
        (403, Refused, "refuses these credentials"),
        (429, Throttled, "come back later"),
        (500, Unreachable, "look at its log"),
        (400, Refused, "answers 400: as told"),
    ],
)
def test_what_the_server_says_becomes_a_sentence(
    mlflow: SimulatedMlflow, server: MlflowServer, status: int, kind: type[ModelyardError], words: str, tmp_path: Path
) -> None:
    mlflow.fails = status

    for call in (server.models, lambda: server.files("a"), lambda: server.download("a", "b", tmp_path / "b")):
        with pytest.raises(kind, match=words):
            call()


def test_a_server_that_is_away_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"does not answer at http://127.0.0.1:9 .*check mlflow.url"):
        MlflowServer(MlflowSettings(url="http://127.0.0.1:9")).models()


@pytest.mark.parametrize("answer", [OK.replace(b"{}", b"[]"), OK.replace(b"{}", b"<>")])
def test_another_server_is_told_apart(answer: bytes) -> None:
    with answering(answer) as port, pytest.raises((Refused, Unreachable)):
        MlflowServer(MlflowSettings(url=f"http://127.0.0.1:{port}")).models()


class _Garbled(BaseHTTPRequestHandler):
    """A proxy that says of its answers that they are compressed, and they are not."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def test_an_answer_that_is_garbled_on_its_way_is_none() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Garbled) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        with pytest.raises(Unreachable, match=r"does not answer .*DecodingError"):
            MlflowServer(MlflowSettings(url=f"http://127.0.0.1:{proxy.server_port}")).models()
        proxy.shutdown()


@pytest.mark.parametrize("body", [b"[]", b"<>"])
def test_what_is_no_answer_of_mlflow_is_said(mlflow: SimulatedMlflow, server: MlflowServer, body: bytes) -> None:
    mlflow.answer = lambda *_: (200, body)  # type: ignore[method-assign]

    with pytest.raises(Refused, match="does not answer as MLflow does"):
        server.models()


@pytest.mark.parametrize("body", [b"no such page", b"{}"])
def test_a_page_that_is_not_there_is_another_servers(
    mlflow: SimulatedMlflow, server: MlflowServer, body: bytes
) -> None:
    mlflow.answer = lambda *_: (404, body)  # type: ignore[method-assign]

    with pytest.raises(Refused, match="does not speak MLflow's API"):
        server.models()


@pytest.mark.parametrize("url", ["", "mlflow", "ftp://mlflow", "https://me:pw@mlflow"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"mlflow\.url"):
        MlflowServer(MlflowSettings(url=url))


def test_credentials_are_sent_and_never_shown(mlflow: SimulatedMlflow) -> None:
    settings = MlflowSettings(url=mlflow.url, username="me", password=SecretStr("s3cret"))

    MlflowServer(settings).models()
    basic = mlflow.headers["Authorization"]
    MlflowServer(MlflowSettings(url=mlflow.url, token=SecretStr("t0ken"))).models()

    assert basic.startswith("Basic ")
    assert mlflow.headers["Authorization"] == "Bearer t0ken"
    assert "s3cret" not in repr(settings)


def test_authorities_come_from_a_file(tmp_path: Path) -> None:
    import certifi

    MlflowServer(MlflowSettings(url="https://mlflow", ca_file=certifi.where()))
    for content in (None, "no certificate"):
        named = tmp_path / "ca.pem"
        if content is not None:
            named.write_text(content)
        with pytest.raises(InvalidSettings, match=r"mlflow\.caFile"):
            MlflowServer(MlflowSettings(url="https://mlflow", ca_file=str(named)))


@pytest.mark.parametrize("source", ["s3://bucket/model", "file:///etc", "mlflow-artifacts:/../../etc", ""])
def test_files_elsewhere_are_refused(
    mlflow: SimulatedMlflow, server: MlflowServer, user: MlflowUser, source: str
) -> None:
    user.register("elsewhere")
    mlflow.versions["elsewhere", "1"]["source"] = source

    with pytest.raises(InvalidEntry, match="start its server with --artifacts-destination"):
        server.folder("elsewhere", "1")


def test_numbers_that_are_none_are_no_metrics(mlflow: SimulatedMlflow, server: MlflowServer) -> None:
    metrics: dict[str, Any] = {"a": 1, "b": "NaN", "c": float("inf"), "d": True, "e": 0.5}
    mlflow.metrics["r"] = metrics

    assert server.metrics("r") == {"a": 1.0, "e": 0.5}
