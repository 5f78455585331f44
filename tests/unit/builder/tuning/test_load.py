"""The client that measures: what it counts, and when it does not trust itself."""

import math

import pytest

from modelyard.builder.triton.v2_http import RequestBody
from modelyard.builder.tuning.connection import request_bytes
from modelyard.builder.tuning.load import LoadResult, offer, quantile, saturate
from tests.support.servers.answering_server import ENDLESS, REFUSED, answering

REQUEST = request_bytes("digits", RequestBody(b'{"inputs": []}'))
LONG = 5.0


def test_a_request_goes_over_the_wire_as_http() -> None:
    binary = request_bytes("digits", RequestBody(b"{}abc", 2))

    assert REQUEST.startswith(b"POST /v2/models/digits/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 14\r\n")
    assert REQUEST.endswith(b'\r\n\r\n{"inputs": []}')
    assert b"\r\nInference-Header-Content-Length: 2\r\n" in binary


def test_everything_is_answered_in_a_closed_loop() -> None:
    with answering() as port:
        result = saturate(port, REQUEST, connections=3, seconds=0.1)

    assert result.failed == 0
    assert result.took
    assert result.rate == len(result.took) / result.seconds


def test_a_rate_is_offered_whatever_the_server_does() -> None:
    with answering(seconds=0.01) as port:
        result = offer(port, REQUEST, rate=100.0, seconds=0.2, threshold=LONG)

    assert (result.failed, result.overrun) == (0, False)
    assert min(result.took) >= 0.01
    assert result.trustworthy(LONG)


def test_what_is_refused_has_failed_and_counts_as_endless() -> None:
    with answering(REFUSED) as port:
        result = offer(port, REQUEST, rate=100.0, seconds=0.1, threshold=LONG)

    assert result.failed > 0
    assert result.took == []
    assert result.quantile(50.0) == math.inf


@pytest.mark.parametrize("answers", [0, 2])
def test_a_server_that_hangs_up_loses_requests_and_ends_nothing(answers: int) -> None:
    with answering(answers=answers) as port:
        result = offer(port, REQUEST, rate=500.0, seconds=0.5, threshold=0.02)

    assert result.failed > 0


def test_a_server_that_answers_nobody_is_asked_once_by_each() -> None:
    with answering(answers=0) as port:
        result = saturate(port, REQUEST, connections=2, seconds=0.1)

    assert (result.took, result.failed > 0) == ([], True)


def test_one_answer_is_waited_for_however_long_it_takes() -> None:
    with answering(seconds=0.2) as port:
        result = saturate(port, REQUEST, connections=1, seconds=0.01)

    assert len(result.took) == 1


def test_an_answer_without_a_length_is_none() -> None:
    with answering(ENDLESS) as port:
        result = offer(port, REQUEST, rate=100.0, seconds=0.1, threshold=0.02)

    assert result.took == []
    assert result.failed > 0


def test_a_server_far_behind_is_not_asked_further() -> None:
    with answering(seconds=2.0) as port:
        result = offer(port, REQUEST, rate=500.0, seconds=30.0, threshold=0.01)

    assert result.overrun
    assert result.failed > 0
    assert result.trustworthy(0.01)


def test_a_client_that_is_late_or_busy_does_not_trust_itself() -> None:
    assert LoadResult(late=[0.001] * 99 + [0.5]).trustworthy(0.05)
    assert not LoadResult(late=[0.02] * 20 + [0.001] * 80).trustworthy(0.05)
    assert not LoadResult(late=[0.001], busy=0.95).trustworthy(0.05)


def test_quantiles_count_what_was_never_answered() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0], 50.0, 0) == 2.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 50.0, 4) == 4.0
    assert quantile([1.0, 2.0, 3.0, 4.0], 99.0, 1) == math.inf
    assert quantile([], 50.0, 0) == math.inf
    assert LoadResult().rate == 0.0
