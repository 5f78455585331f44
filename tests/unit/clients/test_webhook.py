"""A POST to an address that a Model names."""

import pytest

from modelyard.clients.deadline import within
from modelyard.clients.webhook import post
from modelyard.errors import Unreachable
from tests.support.servers.answering_server import OK, REFUSED, answering
from tests.support.servers.store import free_ports

MOVED = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(("answer", "code"), [(OK, 200), (REFUSED, 400), (MOVED, 302)])
def test_the_code_of_the_answer_is_all_that_is_taken(answer: bytes, code: int) -> None:
    with answering(answer) as port:
        assert post(f"http://127.0.0.1:{port}/retrain", b"{}", {"x-modelyard-event": "1"}) == code


def test_an_address_that_nobody_is_at_does_not_answer() -> None:
    [port] = free_ports(1)
    with pytest.raises(Unreachable, match=f"http://127.0.0.1:{port}/ does not answer"):
        post(f"http://127.0.0.1:{port}/", b"{}", {})


def test_one_that_is_slow_is_given_up_with_its_chain() -> None:
    with answering(OK, seconds=5.0) as port, within(0.3), pytest.raises(Unreachable, match="does not answer"):
        post(f"http://127.0.0.1:{port}/", b"{}", {})
