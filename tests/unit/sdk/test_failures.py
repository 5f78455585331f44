"""Which error an answer that is none becomes."""

import pytest

from modelyard.errors import DeadlineExceeded, InvalidInput, ModelyardError, NotOffered, Refused, Unreachable
from modelyard.sdk.address import ServerAddress
from modelyard.sdk.wire.calls import Call, CallKind
from modelyard.sdk.wire.failures import Unbegun, failure, not_ready
from modelyard.sdk.wire.http_requests import HttpWire, WireAnswer

INFER = Call(CallKind.INFER, ServerAddress("http://gateway", "demo", "models.local").endpoint("digits"))
TABLE = [
    ("400", "shape", "", InvalidInput, "digits refuses this input: shape"),
    ("400", "Request for unknown model: 'digits' is not found", "", Refused, "nothing is published at digits.demo"),
    ("401", "", "", Refused, "check token="),
    ("PERMISSION_DENIED", "no", "", Refused, "check token="),
    ("404", "", "", Refused, "nothing is published at digits.demo.models.local"),
    ("429", "slow down", "7", Unbegun, "asks to come back later"),
    ("503", "", "", Unreachable, "no replica answers"),
    ("503", "no healthy upstream", "", Unbegun, "no healthy upstream"),
    ("UNAVAILABLE", "upstream connect error, reset reason: remote connection failure", "", Unbegun, "remote"),
    ("UNAVAILABLE", "upstream reset: connection termination", "", Unreachable, "connection termination"),
    ("502", "bad gateway", "", Unreachable, "bad gateway"),
    ("504", "upstream request timeout", "", DeadlineExceeded, r"spec\.serving\.timeout"),
    ("500", "out of luck", "", Refused, "answered with code 500: out of luck"),
]


@pytest.mark.parametrize(("code", "message", "retry_after", "error", "sentence"), TABLE)
def test_a_code_becomes_the_error_of_the_table(
    code: str, message: str, retry_after: str, error: type[ModelyardError], sentence: str
) -> None:
    bad = failure(INFER, code, message, retry_after)

    assert type(bad) is error
    with pytest.raises(error, match=sentence):
        raise bad


@pytest.mark.parametrize(("written", "pause"), [("7", 7.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 1.0)])
def test_the_time_to_come_back_is_read_as_seconds(written: str, pause: float) -> None:
    bad = failure(INFER, "503", "", written)

    assert isinstance(bad, Unbegun)
    assert bad.pause == pause


LABELS = INFER._replace(kind=CallKind.FEEDBACK, body=b"[]")


@pytest.mark.parametrize(("code", "error"), [("404", Refused), ("422", InvalidInput), ("400", InvalidInput)])
def test_labels_that_are_not_taken_say_why_in_the_platforms_words(code: str, error: type[ModelyardError]) -> None:
    bad = failure(LABELS, code, "it needs spec.monitoring.feedback")

    assert type(bad) is error
    assert str(bad) == "no label was taken: it needs spec.monitoring.feedback."


def test_labels_travel_as_json_and_are_counted() -> None:
    wire = HttpWire("", True)
    request = wire.request(LABELS)

    assert (request.url, request.content) == ("http://gateway/feedback", b"[]")
    assert dict(request.headers)["Content-Type"] == "application/json"
    assert wire.value(LABELS, WireAnswer(202, {}, b'{"accepted": 3}')) == 3
    with pytest.raises(Unbegun):
        wire.value(LABELS, WireAnswer(503, {"retry-after": "30"}, b'{"error": "no room"}'))


def test_a_missing_explainer_is_nobodys_failure() -> None:
    bad = failure(INFER._replace(kind=CallKind.EXPLAIN), "404", "Not Found")

    assert isinstance(bad, NotOffered)
    assert "digits offers no explanations" in str(bad)


def test_who_may_not_ask_whether_a_model_is_ready_is_told_so() -> None:
    assert "does not call digits ready (code 400: it loads)" in not_ready(INFER, "400", "it loads")
    with pytest.raises(Refused, match="check token="):
        not_ready(INFER, "403", "")


@pytest.mark.parametrize("content", [b"<html>", b'{"outputs": [{"name": "y"}]}', b"[]"])
def test_an_answer_in_another_language_is_no_prediction(content: bytes) -> None:
    with pytest.raises(Refused, match="is no server of the Open Inference Protocol v2"):
        HttpWire("", True).value(INFER, WireAnswer(200, {}, content))


def test_a_request_carries_what_the_client_was_given() -> None:
    endpoint = INFER.endpoint._replace(revision="digits-1")
    headers = dict(HttpWire("word", True).request(Call(CallKind.INFER, endpoint, {}, "order-1")).headers)

    assert headers["Authorization"] == "Bearer word"
    assert headers["Host"] == "digits.demo.models.local"
    assert headers["x-modelyard-revision"] == "digits-1"
    assert headers["x-request-id"] == "order-1"


def test_a_description_in_another_language_is_none() -> None:
    described = INFER._replace(kind=CallKind.METADATA)

    with pytest.raises(Refused, match="is no server of the Open Inference Protocol v2"):
        HttpWire("", True).value(described, WireAnswer(200, {}, b'{"inputs": 1, "name": "digits"}'))


def test_a_grpc_answer_without_raw_bytes_is_no_prediction() -> None:
    from modelyard.clients.inference.grpc import service_pb2
    from modelyard.sdk.wire.grpc_connections import _value

    answer = service_pb2.ModelInferResponse(model_name="digits")  # type: ignore[attr-defined]
    answer.outputs.add(name="y", datatype="FP32", shape=[1])

    with pytest.raises(Refused, match="is no server of the Open Inference Protocol v2"):
        _value(INFER, answer, ())
