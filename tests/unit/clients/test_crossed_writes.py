"""S3 answers 409 to a conditional write while another one of the same key is under way: it is tried again."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelyard.clients import store as store_module
from modelyard.clients.store import S3Store
from modelyard.errors import Throttled
from modelyard.settings import StoreSettings

_BODY = "<Error><Code>{code}</Code><Message>try again</Message></Error>"


class CrossedStore:
    """An S3 that gives each PUT the next of `answers`, the last one for ever, and counts them."""

    def __init__(self, *answers: tuple[int, str]) -> None:
        self.answers, self.puts = list(answers), 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def store(self) -> S3Store:
        endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        return S3Store(StoreSettings.model_validate({"endpoint": endpoint, "accessKeyId": "a", "secretAccessKey": "b"}))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        crossed = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                crossed.puts += 1
                status, code = crossed.answers.pop(0) if len(crossed.answers) > 1 else crossed.answers[0]
                body = _BODY.format(code=code).encode() if code else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        return Handler


@pytest.fixture
def crossed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., CrossedStore]]:
    monkeypatch.setattr(store_module, "_PAUSES", (0.0, 0.0, 0.0))
    made: list[CrossedStore] = []

    def answering(*answers: tuple[int, str]) -> CrossedStore:
        made.append(CrossedStore(*answers))
        return made[-1]

    yield answering
    for each in made:
        each.server.shutdown()
        each.server.server_close()


CONFLICT = (409, "ConditionalRequestConflict")


@pytest.mark.parametrize(
    ("last", "written"), [((200, ""), True), ((412, "PreconditionFailed"), False)], ids=["ours", "the other's"]
)
def test_a_crossed_write_is_tried_again_until_it_is_known_whose_is_there(
    crossed: Callable[..., CrossedStore], last: tuple[int, str], written: bool
) -> None:
    server = crossed(CONFLICT, (409, "OperationAborted"), last)

    assert server.store.put_if_absent("report", b"mine") is written
    assert server.puts == 3


def test_a_write_that_is_crossed_for_ever_is_one_to_come_back_to(crossed: Callable[..., CrossedStore]) -> None:
    server = crossed(CONFLICT)

    with pytest.raises(Throttled, match="come back later"):
        server.store.put_if_absent("report", b"mine")
    assert server.puts == 4


def test_a_plain_write_that_is_crossed_is_one_to_come_back_to(crossed: Callable[..., CrossedStore]) -> None:
    with pytest.raises(Throttled, match="come back later"):
        crossed((409, "OperationAborted")).store.put("state", b"mine")


def test_another_refusal_is_not_tried_again(crossed: Callable[..., CrossedStore]) -> None:
    server = crossed((400, "InvalidArgument"))

    with pytest.raises(Exception, match="InvalidArgument"):
        server.store.put_if_absent("report", b"mine")
    assert server.puts == 1
