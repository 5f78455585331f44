from collections.abc import Sequence
from typing import Any

import pytest

from modelyard.recorder.exchanges import Assembly, Exchange

GRPC_ROUTE = "grpcroute/demo/loans--sampled/rule/0/match/0/loans_demo_models_example_com"


def assembled(messages: Sequence[Any], limit: int = 100) -> Assembly:
    """All messages but the last must leave it open."""
    assembly = Assembly(limit)
    for message in messages[:-1]:
        assembly.take(message)
        assert not assembly.over
    assembly.take(messages[-1])
    return assembly


def exchanged(messages: Sequence[Any], limit: int = 100) -> Exchange:
    assembly = assembled(messages, limit)
    assert assembly.over
    assert assembly.counts
    exchange = assembly.exchange()
    assert exchange is not None
    return exchange


def test_pieces_of_http_become_one_exchange(envoy: Any) -> None:
    found = exchanged(envoy.prediction(b'{"inputs": []}', b'{"outputs": []}', share="16"))
    assert (found.namespace, found.model, found.revision, found.request_id) == ("demo", "loans", "loans-1", "id-1")
    assert (found.request, found.response) == (b'{"inputs": []}', b'{"outputs": []}')
    assert (found.share, found.status, found.grpc, found.answered, found.cut) == (16, 200, False, True, False)


def test_the_length_of_the_json_before_raw_bytes_is_read_from_the_headers(envoy: Any) -> None:
    messages = list(envoy.prediction(b"request", b"response"))
    messages[0] = envoy.headers(
        "request", route=envoy.ROUTE, path="/v2/models/loans/infer", inference_header_content_length="12"
    )
    messages[3] = envoy.headers("response", status="200", inference_header_content_length="x")
    found = exchanged(messages)
    assert (found.request_header_length, found.response_header_length) == (12, None)


def test_a_body_beyond_the_limit_is_cut_and_says_so(envoy: Any) -> None:
    found = exchanged(envoy.prediction(b"a" * 20, b"b" * 10), limit=10)
    assert found.cut
    assert len(found.request) <= 15
    assert not exchanged(envoy.prediction(b"a" * 10, b"b" * 10), limit=10).cut


def test_an_error_is_no_answer(envoy: Any) -> None:
    assert not exchanged(envoy.prediction(b"{}", b"{}", status="400")).answered


def call(envoy: Any, message: bytes, *answer: Any, route: str = GRPC_ROUTE) -> list[Any]:
    return [
        envoy.headers(
            "request", route=route, path="/inference.GRPCInferenceService/ModelInfer", content_type="application/grpc"
        ),
        envoy.piece("request", b"\0" + len(message).to_bytes(4, "big") + message, last=True),
        *answer,
    ]


def test_grpc_is_over_when_the_message_is_as_long_as_it_says(envoy: Any) -> None:
    framed = b"\0\0\0\0\x06answer"
    answer = [
        envoy.headers("response", status="200", x_modelyard_revision="loans-2"),
        envoy.piece("response", framed[:3]),
        envoy.piece("response", framed[3:8]),
        envoy.piece("response", framed[8:]),
    ]
    found = exchanged(call(envoy, b"request", *answer))
    assert (found.grpc, found.request, found.response, found.status, found.answered) == (
        True, b"request", b"answer", 0, True,
    )  # fmt: skip
    assert found.revision == "loans-2"


def test_an_error_over_grpc_comes_in_the_headers(envoy: Any) -> None:
    found = exchanged(call(envoy, b"r", envoy.headers("response", last=True, status="200", grpc_status="3")))
    assert (found.status, found.answered) == (3, False)


def test_a_long_answer_over_grpc_is_over_and_cut(envoy: Any) -> None:
    answer = [envoy.headers("response", status="200"), envoy.piece("response", b"\0\0\0\x01\0" + b"a" * 200)]
    found = exchanged(call(envoy, b"r", *answer), limit=100)
    assert found.cut


@pytest.mark.parametrize("path", ["/v2/health/ready", "/v2/models/loans", "/v2/models/loans/inferences", ""])
def test_what_asks_for_no_prediction_does_not_count(envoy: Any, path: str) -> None:
    assembly = assembled([envoy.headers("request", route=envoy.ROUTE, path=path, last=True)])
    assert not assembly.counts


@pytest.mark.parametrize("path", ["/v2/models/loans/infer", "/demo/loans/v2/models/loans/versions/1/infer?x=1"])
def test_what_asks_for_a_prediction_counts(envoy: Any, path: str) -> None:
    assert assembled([envoy.headers("request", path=path)]).counts


@pytest.mark.parametrize("route", ["", "httproute/demo/loans/rule/0/match/0/x", "httproute", "a/b/c"])
def test_another_route_than_a_recorded_one_tells_nothing(envoy: Any, route: str) -> None:
    assert assembled(envoy.prediction(b"{}", b"{}", route=route)).exchange() is None


@pytest.mark.parametrize(("told", "share"), [("256", 256), ("", 1), ("0", 1), ("-4", 1), ("many", 1)])
def test_a_share_that_is_none_is_one(envoy: Any, told: str, share: int) -> None:
    assert exchanged(envoy.prediction(b"{}", b"{}", share=told)).share == share
