"""An MLflow that is asked over TLS, with an authority of the company's own, and with a user's name and password."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from localcluster.identity.certificates import Files, authority, stored
from localcluster.identity.certificates import server as serving_certificate
from modelyard.clients.mlflow import MlflowServer
from modelyard.errors import Refused, Unreachable
from modelyard.mlflow_settings import MlflowSettings
from tests.support.machine.command_line import modelyard
from tests.support.servers.mlflow.calls import MlflowUser
from tests.support.servers.mlflow.real import secured_mlflow
from tests.support.servers.mlflow.simulated import SimulatedMlflow, simulated_mlflow
from tests.support.servers.store import StoreServer

USER, PASSWORD = "reader", "correct-horse"
LOGIN = (USER, PASSWORD)
KINDS = ["simulated", pytest.param("real", marks=pytest.mark.mlflow)]


class SecuredMlflow(NamedTuple):
    """Where a server that asks for the password is, and the file with its authority's certificate."""

    url: str
    ca_file: str

    def settings(self, password: str = PASSWORD, ca_file: str | None = None) -> MlflowSettings:
        trusted = self.ca_file if ca_file is None else ca_file
        return MlflowSettings(url=self.url, username=USER, password=SecretStr(password), ca_file=trusted)


def certified(folder: Path, host: str) -> tuple[str, Files]:
    """A file with an authority, and a certificate that it gave to the host."""
    company = authority("company")
    (folder / "ca.crt").write_bytes(company.certificate_pem)
    return str(folder / "ca.crt"), stored(folder, "mlflow", serving_certificate(company, "mlflow", [host]))


@contextmanager
def simulated(folder: Path, host: str = "127.0.0.1") -> Iterator[tuple[SecuredMlflow, SimulatedMlflow]]:
    ca_file, files = certified(folder, host)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    with simulated_mlflow(":".join(LOGIN), context) as running:
        yield SecuredMlflow(running.url, ca_file), running


@pytest.fixture(scope="module", params=KINDS)
def secured(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredMlflow]:
    """Both kinds of server, one after the other."""
    folder = tmp_path_factory.mktemp("secured")
    if request.param == "simulated":
        with simulated(folder) as (made, _):
            yield made
    else:
        ca_file, files = certified(folder, "127.0.0.1")
        with secured_mlflow(folder, LOGIN, files) as real:
            yield SecuredMlflow(real.url, ca_file)


def test_all_that_is_asked_is_asked_over_tls_with_the_password(secured: SecuredMlflow, tmp_path: Path) -> None:
    client = MlflowServer(secured.settings())
    before = [model.name for model in client.models()]
    MlflowUser(secured.url, LOGIN).register("poem", {"MLmodel": b"flavors: {}"})

    folder = client.folder("poem", "1")
    client.download(folder, "MLmodel", tmp_path / "MLmodel")

    assert secured.url.startswith("https://")
    assert sorted(model.name for model in client.models()) == sorted([*before, "poem"])
    assert client.files(folder) == {"MLmodel": 11}
    assert client.set_tag("poem", "1", "a", "b")


@pytest.mark.parametrize("password", ["", "wrong-horse"])
def test_a_password_that_is_refused_is_named_and_not_shown(secured: SecuredMlflow, password: str) -> None:
    with pytest.raises(Refused, match=r"\(401\): check mlflow\.username and mlflow\.password") as refused:
        MlflowServer(secured.settings(password)).models()

    assert "horse" not in str(refused.value)


def test_an_authority_that_nobody_named_is_not_trusted(secured: SecuredMlflow) -> None:
    with pytest.raises(Unreachable, match=r"not trusted here .*mlflow\.caFile .*mlflow\.caConfigMap"):
        MlflowServer(secured.settings(ca_file="")).models()


def test_to_a_server_that_is_not_trusted_no_password_is_sent(tmp_path: Path) -> None:
    refused = pytest.raises(Unreachable, match=r"not trusted here \(IP address mismatch")
    with simulated(tmp_path, "mlflow.example.com") as (elsewhere, server), refused:
        MlflowServer(elsewhere.settings()).models()

    assert (server.asked, server.headers) == ([], {})


def test_the_program_reads_a_secured_server_and_never_writes_the_password(
    secured: SecuredMlflow, store_server: StoreServer, tmp_path: Path
) -> None:
    user = MlflowUser(secured.url, LOGIN)
    user.register("fraud")
    user.set_alias("fraud", "champion", "1")
    where = store_server.settings(store_server.new_bucket())
    given = {
        "MODELYARD_MLFLOW_URL": secured.url,
        "MODELYARD_MLFLOW_USERNAME": USER,
        "MODELYARD_MLFLOW_CA_FILE": secured.ca_file,
        "MODELYARD_TRACEBACK": "1",
    }

    brought, refused = (
        modelyard("mlflow", "sync", "fraud", store=where, cwd=tmp_path, MODELYARD_MLFLOW_PASSWORD=password, **given)
        for password in (PASSWORD, "horse")
    )

    assert brought.code == 0, brought.err
    assert "brought in fraud:1" in brought.out
    assert (refused.code, "refuses these credentials" in refused.err) == (1, True)
    assert "horse" not in brought.out + brought.err + refused.out + refused.err


def test_a_name_that_the_server_does_not_know_is_said(mlflow: SimulatedMlflow, server: MlflowServer) -> None:
    said = b"Invalid Host header - possible DNS rebinding attack detected"
    mlflow.answer = lambda *_: (403, said)  # type: ignore[method-assign]

    with pytest.raises(Refused, match=r"start it with --allowed-hosts 127\.0\.0\.1:"):
        server.models()
