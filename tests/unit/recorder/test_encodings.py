import gzip
import zlib
from typing import Any

import pytest

from modelyard.recorder.encodings import unpacked
from modelyard.recorder.exchanges import Assembly
from modelyard.recorder.tensors import Malformed

BODY = b'{"outputs": []}'


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (BODY, ""),
        (BODY, "identity"),
        (gzip.compress(BODY), "gzip"),
        (gzip.compress(BODY), " GZIP"),
        (zlib.compress(BODY), "deflate"),
    ],
    ids=["no header", "identity", "gzip", "in capitals", "deflate"],
)
def test_a_body_is_what_it_was_before_the_way(content: bytes, encoding: str) -> None:
    assert unpacked(content, encoding, 100) == BODY


@pytest.mark.parametrize(
    ("content", "encoding", "reason"),
    [
        (BODY, "br", "not known"),
        (BODY, "gzip", "damaged"),
        (gzip.compress(BODY)[:-9], "gzip", "damaged"),
        (gzip.compress(bytes(101)), "gzip", "longer"),
        (zlib.compress(bytes(10**8)), "deflate", "longer"),
    ],
    ids=["unknown", "not packed", "cut", "a byte too long", "a bomb"],
)
def test_what_cannot_be_unpacked_or_is_too_much_says_why(content: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        unpacked(content, encoding, 100)


def test_an_exchange_says_how_its_bodies_are_compressed(envoy: Any) -> None:
    assembly = Assembly(100)
    for message in envoy.prediction(b"a" * 9, b"b" * 9):
        assembly.take(message)
    plain = assembly.exchange()
    assembly = Assembly(100)
    for message in [
        envoy.headers("request", route=envoy.ROUTE, path="/v2/models/loans/infer", content_encoding="deflate"),
        envoy.piece("request", b"a", last=True),
        envoy.headers("response", status="200", content_encoding="gzip"),
        envoy.piece("response", b"b", last=True),
    ]:
        assembly.take(message)
    packed = assembly.exchange()

    assert plain is not None
    assert packed is not None
    assert (plain.request_encoding, plain.response_encoding) == ("", "")
    assert (packed.request_encoding, packed.response_encoding) == ("deflate", "gzip")


@pytest.mark.parametrize(("flag", "encoding"), [(b"\0", ""), (b"\1", "gzip")])
def test_grpc_says_in_the_prefix_whether_a_message_is_compressed(envoy: Any, flag: bytes, encoding: str) -> None:
    route = envoy.ROUTE.replace("httproute", "grpcroute")
    assembly = Assembly(100)
    for message in [
        envoy.headers("request", route=route, content_type="application/grpc", grpc_encoding="gzip"),
        envoy.piece("request", flag + b"\0\0\0\x01a", last=True),
        envoy.headers("response", status="200", grpc_encoding="gzip"),
        envoy.piece("response", flag + b"\0\0\0\x01b"),
    ]:
        assembly.take(message)
    exchange = assembly.exchange()

    assert exchange is not None
    assert (exchange.request, exchange.request_encoding, exchange.response_encoding) == (b"a", encoding, encoding)
