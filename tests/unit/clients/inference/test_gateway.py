"""A warm-up counts only when the revision it was meant for answered it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelyard.clients.inference.gateway import Gateway
from modelyard.core.snapshot import Probe


class Listener:
    """A gateway's HTTP port that answers as told and remembers what it was asked."""

    def __init__(self) -> None:
        self.code, self.by, self.body = 200, "digits-1", b"{}"
        self.asked: list[tuple[str, str, str, bytes]] = []
        self.described: list[tuple[str, str | None]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.asked.append((self.path, self.headers["Host"], self.headers["x-modelyard-revision"], body))
                length = self.headers["Inference-Header-Content-Length"]
                listener.described.append((self.headers["Content-Type"], length))
                self.send_response(listener.code)
                if listener.by:
                    self.send_header("x-modelyard-revision", listener.by)
                self.send_header("Content-Length", str(len(listener.body)))
                self.end_headers()
                self.wfile.write(listener.body)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        return Handler


@pytest.fixture
def listener() -> Iterator[Listener]:
    found = Listener()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def gateway(listener: Listener) -> Iterator[Gateway]:
    made = Gateway(listener.url)
    yield made
    made.close()


def ask(gateway: Gateway) -> Probe:
    return gateway.ask("digits", "digits.demo.models.local", "digits-1", b'{"inputs": []}')


def test_the_question_goes_to_the_models_host_pinned_to_the_revision(gateway: Gateway, listener: Listener) -> None:
    assert ask(gateway) == Probe(True)
    assert listener.asked == [
        ("/v2/models/digits/infer", "digits.demo.models.local", "digits-1", b'{"inputs": []}'),
    ]


@pytest.mark.parametrize(("by", "named"), [("digits-2", "digits-2"), ("", "an unnamed backend")])
def test_an_answer_of_somebody_else_does_not_count(gateway: Gateway, listener: Listener, by: str, named: str) -> None:
    listener.by = by
    found = ask(gateway)

    assert not found.answered
    assert f"answered by {named}, not digits-1" in found.message


def test_a_refusal_is_told_with_its_code_and_words(gateway: Gateway, listener: Listener) -> None:
    listener.code, listener.body = 500, b'{"error":\n "unexpected  shape"}'
    found = ask(gateway)

    assert not found.answered
    assert 'HTTP 500: {"error": "unexpected shape"}' in found.message


def test_a_redirect_is_not_followed(gateway: Gateway, listener: Listener) -> None:
    listener.code = 302

    assert "HTTP 302" in ask(gateway).message


def test_a_gateway_that_is_not_there_is_a_failed_answer_not_an_error() -> None:
    found = ask(Gateway("http://127.0.0.1:1"))

    assert not found.answered
    assert "the gateway at http://127.0.0.1:1 did not answer" in found.message


def test_a_body_with_raw_tensors_says_where_its_json_ends(gateway: Gateway, listener: Listener) -> None:
    header = b'{"inputs":[{"name":"x","shape":[1],"datatype":"FP16","parameters":{"binary_data_size":2}}]}'

    gateway.ask("digits", "digits.demo.models.local", "digits-1", header + b"\x00\xfe")
    gateway.ask("digits", "digits.demo.models.local", "digits-1", header)

    assert listener.described == [("application/octet-stream", str(len(header))), ("application/json", None)]


def test_a_gateway_whose_name_is_unknown_is_called_that() -> None:
    probe = ask(Gateway("http://gateway.invalid"))

    assert not probe.answered
    assert "the name gateway.invalid cannot be looked up" in probe.message
