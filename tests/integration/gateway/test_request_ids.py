"""Every request has an id and every answer says it, in a real Envoy with the chart's policy for clients."""

import uuid
from pathlib import Path

import httpx
import pytest

from tests.support.servers.gateway_envoy import gateway, loopback, server

pytestmark = pytest.mark.integration

ADDRESS, AWAY = loopback(41), loopback(42)
ID = "x-request-id"


def post(url: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(url, content=b"1", headers=named, trust_env=False)


def test_an_id_is_made_told_to_the_model_and_to_the_client(tmp_path: Path) -> None:
    with server(ADDRESS), gateway(tmp_path, [ADDRESS]) as url:
        first, second = post(url), post(url)

    assert uuid.UUID(first.headers[ID]) != uuid.UUID(second.headers[ID])
    assert (first.text, second.text) == (first.headers[ID], second.headers[ID])


def test_a_clients_own_id_is_kept(tmp_path: Path) -> None:
    with server(ADDRESS), gateway(tmp_path, [ADDRESS]) as url:
        answer = post(url, x_request_id="order-4711")

    assert (answer.headers[ID], answer.text) == ("order-4711", "order-4711")
    assert answer.headers.get_list(ID) == ["order-4711"]


def test_an_answer_of_the_gateway_itself_says_the_id_too(tmp_path: Path) -> None:
    with gateway(tmp_path, [AWAY]) as url:
        answer = post(url, x_request_id="order-4712")

    assert (answer.status_code, answer.headers[ID]) == (503, "order-4712")
