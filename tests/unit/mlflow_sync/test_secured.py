"""An MLflow that is asked over TLS, with an authority of the company's own, and with a user's name and password."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from localcluster.identity.certificates import authority, stored
from localcluster.identity.certificates import server as serving_certificate
from modelyard.clients.mlflow import MlflowServer
from modelyard.errors import Refused, Unreachable
from modelyard.mlflow_settings import MlflowSettings
from tests.support.machine.command_line import modelyard
from tests.support.servers.mlflow.calls import MlflowUser
from tests.support.servers.mlflow.simulated import SimulatedMlflow, simulated_mlflow
from tests.support.servers.store import StoreServer

USER, PASSWORD = "reader", "correct-horse"


class SecuredMlflow(NamedTuple):
    """A server that asks for the password, and the file with its authority's certificate."""

    server: SimulatedMlflow
    ca_file: str

    def settings(self, password: str = PASSWORD, ca_file: str | None = None) -> MlflowSettings:
        trusted = self.ca_file if ca_file is None else ca_file
        return MlflowSettings(url=self.server.url, username=USER, password=SecretStr(password), ca_file=trusted)


@pytest.fixture(params=["127.0.0.1"])
def secured(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SecuredMlflow]:
    """Its certificate is for the host that the test names."""
    company = authority("company")
    files = stored(tmp_path, "mlflow", serving_certificate(company, "mlflow", [request.param]))
    ca_file = tmp_path / "ca.crt"
    ca_file.write_bytes(company.certificate_pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.certificate, files.key)
    with simulated_mlflow(f"{USER}:{PASSWORD}", context) as running:
        yield SecuredMlflow(running, str(ca_file))


def test_all_that_is_asked_is_asked_over_tls_with_the_password(secured: SecuredMlflow, tmp_path: Path) -> None:
    MlflowUser(secured.server.url, (USER, PASSWORD)).register("fraud", {"MLmodel": b"flavors: {}"})
    client = MlflowServer(secured.settings())

    folder = client.folder("fraud", "1")
    client.download(folder, "MLmodel", tmp_path / "MLmodel")

    assert secured.server.url.startswith("https://")
    assert [model.name for model in client.models()] == ["fraud"]
    assert client.files(folder) == {"MLmodel": 11}
    assert client.set_tag("fraud", "1", "a", "b")


@pytest.mark.parametrize("password", ["", "wrong-horse"])
def test_a_password_that_is_refused_is_named_and_not_shown(secured: SecuredMlflow, password: str) -> None:
    with pytest.raises(Refused, match=r"\(401\): check mlflow\.username and mlflow\.password") as refused:
        MlflowServer(secured.settings(password)).models()

    assert "horse" not in str(refused.value)


def test_an_authority_that_nobody_named_is_not_trusted(secured: SecuredMlflow) -> None:
    with pytest.raises(Unreachable, match=r"not trusted here .*mlflow\.caFile .*mlflow\.caConfigMap"):
        MlflowServer(secured.settings(ca_file="")).models()

    assert secured.server.asked == [], "the password was never sent"


@pytest.mark.parametrize("secured", ["mlflow.example.com"], indirect=True)
def test_a_certificate_for_another_host_is_not_trusted(secured: SecuredMlflow) -> None:
    with pytest.raises(Unreachable, match=r"not trusted here \(IP address mismatch"):
        MlflowServer(secured.settings()).models()


def test_the_program_reads_a_secured_server_and_never_writes_the_password(
    secured: SecuredMlflow, store_server: StoreServer, tmp_path: Path
) -> None:
    user = MlflowUser(secured.server.url, (USER, PASSWORD))
    user.register("fraud")
    user.set_alias("fraud", "champion", "1")
    where = store_server.settings(store_server.new_bucket())
    given = {
        "MODELYARD_MLFLOW_URL": secured.server.url,
        "MODELYARD_MLFLOW_USERNAME": USER,
        "MODELYARD_MLFLOW_CA_FILE": secured.ca_file,
        "MODELYARD_TRACEBACK": "1",
    }

    brought = modelyard(
        "mlflow", "sync", "fraud", store=where, cwd=tmp_path, MODELYARD_MLFLOW_PASSWORD=PASSWORD, **given
    )
    refused = modelyard("mlflow", "sync", "fraud", store=where, cwd=tmp_path, MODELYARD_MLFLOW_PASSWORD="horse", **given)

    assert (brought.code, brought.err) == (0, "")
    assert "brought in fraud:1" in brought.out
    assert (refused.code, "refuses these credentials" in refused.err) == (1, True)
    assert "horse" not in brought.out + refused.out + refused.err


def test_a_name_that_the_server_does_not_know_is_said(mlflow: SimulatedMlflow, server: MlflowServer) -> None:
    mlflow.answer = lambda *_: (403, b"Invalid Host header - possible DNS rebinding attack detected")  # type: ignore[method-assign]

    with pytest.raises(Refused, match=r"start it with --allowed-hosts 127\.0\.0\.1:"):
        server.models()
