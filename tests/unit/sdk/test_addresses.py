"""Where the models of a client answer, and which addresses are refused before anything is asked."""

import pytest

from modelyard import AsyncClient, Client
from modelyard.errors import InvalidInput, InvalidSettings
from modelyard.sdk import opening
from modelyard.sdk.wire.calls import ClientOptions


def asked(url: str, namespace: str = "", domain: str = "", revision: str = "") -> tuple[str, str]:
    """The URL and the host that are asked for the model `digits`."""
    found = opening.session(url, namespace, domain, "http", ClientOptions()).address.endpoint("digits", revision)
    assert (found.model, found.revision) == ("digits", revision)
    return found.url, found.host


def test_a_server_is_asked_as_it_is() -> None:
    assert asked("127.0.0.1:8080") == ("http://127.0.0.1:8080", "")
    assert asked("https://digits.example.com/", revision="digits-1") == ("https://digits.example.com", "")


def test_a_gateway_is_asked_by_path_or_by_host() -> None:
    assert asked("http://gateway", "demo") == ("http://gateway/demo/digits", "")
    assert asked("http://gateway", "demo", "models.local") == ("http://gateway", "digits.demo.models.local")


MISTAKES = {
    "nothing": ({"url": ""}, "an empty text is no address"),
    "no URL": ({"url": "http://[::1"}, "is no address"),
    "another scheme": ({"url": "ftp://gateway"}, "ftp://gateway is no address"),
    "a password": ({"url": "http://me:secret@gateway"}, "give credentials with token="),
    "another protocol": ({"url": "http://gateway", "protocol": "soap"}, "write http or grpc"),
    "a domain alone": ({"url": "http://gateway", "domain": "models.local"}, "a domain needs the Models' namespace"),
    "gRPC by path": ({"url": "http://gateway", "namespace": "demo", "protocol": "grpc"}, "give domain="),
    "gRPC with a path": ({"url": "http://gateway/demo/digits", "protocol": "grpc"}, "gRPC has no paths"),
    "no time": ({"url": "http://gateway", "timeout": 0}, "timeout and connections are above 0"),
    "a torn token": ({"url": "http://gateway", "token": "a\nb"}, "the token has signs that no header can carry"),
    "no authority": ({"url": "https://gateway", "verify": "/nowhere.pem"}, "verify=/nowhere.pem gives no certificates"),
    "no authority over gRPC": (
        {"url": "https://gateway", "protocol": "grpc", "verify": "/nowhere.pem"},
        "verify=/nowhere.pem gives no certificates",
    ),
    "gRPC unchecked": ({"url": "https://gateway", "protocol": "grpc", "verify": False}, "gRPC always checks"),
}


@pytest.mark.parametrize("client", [Client, AsyncClient])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_asked_is_refused_at_once(mistake: str, client: type[Client]) -> None:
    options, sentence = MISTAKES[mistake]

    with pytest.raises(InvalidSettings, match=sentence) as refused:
        client(**options)

    assert "secret" not in str(refused.value)


def test_a_client_of_a_server_knows_no_cluster() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(InvalidSettings, match="make it with namespace="):
        client.rollout("digits")


def test_a_client_says_where_it_asks_and_never_its_token() -> None:
    assert repr(Client("http://gateway", token="hidden")) == "<Client of http://gateway>"
    assert repr(AsyncClient("http://gateway", token="hidden")) == "<AsyncClient of http://gateway>"


def test_a_model_has_a_name() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(InvalidInput, match="its name is empty"):
        client.predict("", [1])
