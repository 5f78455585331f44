"""What the gateway's policy is worth when one of two servers is gone, tried with a real Envoy (decision 0027)."""

import subprocess
from collections import Counter
from pathlib import Path

import httpx

from tests.support.servers.gateway_envoy import gateway, loopback, server

FIRST, SECOND = loopback(21), loopback(22)


def answers(url: str, count: int = 100) -> Counter[int]:
    """Status codes of so many predictions, one after the other."""
    with httpx.Client(base_url=url) as client:
        return Counter(client.post("/", content=b"a prediction").status_code for _ in range(count))


def alive(process: "subprocess.Popen[str]") -> bool:
    """Whether it does not end within the moment that the end of a killed one may take."""
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        return True
    return False


def test_a_server_that_refuses_connections_costs_nobody_a_prediction(tmp_path: Path) -> None:
    with server(FIRST), gateway(tmp_path, [FIRST, SECOND]) as url:
        assert answers(url) == {200: 100}


def test_a_prediction_that_kills_its_server_is_given_to_no_other(tmp_path: Path) -> None:
    with server(FIRST) as first, server(SECOND) as second, gateway(tmp_path, [FIRST, SECOND]) as url:
        assert answers(url) == {200: 100}
        assert httpx.post(url, content=b"poison").status_code == 503
        assert sorted([alive(first), alive(second)]) == [False, True]
        assert answers(url) == {200: 100}


def test_tried_again_after_a_reset_it_would_kill_them_all(tmp_path: Path) -> None:
    """Why `reset` is not among the chart's reasons."""
    with server(FIRST) as first, server(SECOND) as second:
        with gateway(tmp_path, [FIRST, SECOND], "connect-failure", "reset") as url:
            assert httpx.post(url, content=b"poison").status_code == 503
        assert (alive(first), alive(second)) == (False, False)
