"""The clients over TLS, with an authority of the test's own: the name that is checked is the Model's host."""

import datetime
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from modelyard import Client
from modelyard.errors import Unreachable
from tests.support.servers.inference_server import HOST, running
from tests.support.servers.one_port import copied

ROWS = {"x": [[1.0, 2.0]], "word": ["one"]}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for the Model's host, which vouches for itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path_factory.mktemp("tls") / "host.pem"
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(pem))
    return file


@contextmanager
def over_tls(certificate: Path, port: int) -> Iterator[str]:
    """The URL of a port that takes TLS and hands on to the server at `port`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with suppress(OSError):
                    copied(context.wrap_socket(client, server_side=True), ("127.0.0.1", port))

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_models_host_is_checked_against_the_authority(certificate: Path, protocol: str) -> None:
    options: dict[str, Any] = {"namespace": "demo", "domain": "models.local", "protocol": protocol, "retries": 0}
    with running() as served:
        port = int(getattr(served, protocol).rpartition(":")[2])
        with over_tls(certificate, port) as url, Client(url, verify=str(certificate), **options) as client:
            assert client.predict("double", ROWS)["y"] == [[2.0, 4.0]]
        with over_tls(certificate, port) as url, Client(url, **options) as client, pytest.raises(Unreachable):
            client.predict("double", ROWS, timeout=10)
