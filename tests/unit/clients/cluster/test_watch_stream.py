"""A watch against an API server that breaks off, says nonsense, or errors, as real ones do when something is wrong."""

import json
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes.client import Configuration

from modelyard.clients.cluster import list_watch
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import ListWatch
from modelyard.clients.cluster.status_errors import Expired
from modelyard.core.kinds import BY_NAME
from modelyard.errors import OutsideError, Refused, Throttled, Unreachable


def event(kind: str, version: int, name: str = "a", **more: Any) -> bytes:
    metadata = {"name": name, "uid": name, "resourceVersion": str(version)}
    return json.dumps({"type": kind, "object": {"metadata": metadata, **more}}).encode() + b"\n"


def error(code: int) -> bytes:
    return json.dumps({"type": "ERROR", "object": {"code": code, "message": "so it is"}}).encode() + b"\n"


class Server:
    """Answers every request with what is next in `answers`: a status and pieces, `None` breaking off; then hangs."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, list[bytes | None]]] = []
        self.asked: list[str] = []
        self.released = threading.Event()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        scene = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                scene.asked.append(self.path)
                status, pieces = scene.answers.pop(0) if scene.answers else (200, [b""])
                self.send_response(status)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for piece in pieces:
                    if piece is None:
                        self.close_connection = True
                        return
                    if piece:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                    else:
                        scene.released.wait(20)
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, format: str, *args: object) -> None: ...

        return Handler


class Heard:
    """What a follower was told."""

    def __init__(self) -> None:
        self.things: list[tuple[str | None, str]] = []
        self.listings: list[set[str]] = []

    def listing(self) -> None: ...

    def take_in(self, event_type: str | None, thing: Mapping[str, Any]) -> None:
        self.things.append((event_type, thing["metadata"]["name"]))

    def listed(self, uids: Collection[str]) -> None:
        self.listings.append(set(uids))


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.released.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(server: Server, heard: Heard) -> ListWatch:
    access = Configuration()
    access.host = f"http://127.0.0.1:{server.server.server_address[1]}"
    return ListWatch(Cluster(access), BY_NAME["Secret"], "", "a=b", heard)


def until(reached: Callable[[], object]) -> None:
    waiting = threading.Event()
    for _ in range(1000):
        if reached():
            return
        waiting.wait(0.01)
    raise AssertionError("it never was so")


def test_events_arrive_whole_however_they_are_cut_and_bookmarks_move_the_place(
    server: Server, watch: ListWatch, heard: Heard
) -> None:
    whole = event("ADDED", 5) + event("MODIFIED", 6, "b") + event("BOOKMARK", 9)
    server.answers = [(200, [whole[:10], whole[10:130], whole[130:]])]

    assert watch.follow("4", 1) == "9"
    assert heard.things == [("ADDED", "a"), ("MODIFIED", "b")]
    assert "resourceVersion=4" in server.asked[0]
    assert "labelSelector=a%3Db" in server.asked[0]


@pytest.mark.parametrize(
    ("status", "pieces", "raised"),
    [
        (200, [error(410)], Expired),
        (410, [b"{}"], Expired),
        (200, [error(429)], Throttled),
        (429, [b"{}"], Throttled),
        (200, [error(500)], Unreachable),
        (503, [b"{}"], Unreachable),
        (401, [b"{}"], Refused),
        (200, [b"no JSON\n"], Unreachable),
        (200, [b"[]\n"], Unreachable),
        (200, [event("ADDED", 5), None], Unreachable),
    ],
)
def test_what_goes_wrong_is_one_of_our_errors(
    server: Server, watch: ListWatch, status: int, pieces: list[bytes | None], raised: type[OutsideError]
) -> None:
    server.answers = [(status, pieces)] * 3
    with pytest.raises(raised) as found:
        watch.follow("4", 1)

    assert type(found.value) is raised


def test_it_goes_on_from_the_last_event_before_it_broke_and_lists_when_that_is_forgotten(
    server: Server, watch: ListWatch, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_watch, "_PAUSE_SECONDS", 0.01)
    listing = {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "c", "uid": "c"}}]}
    server.answers = [(200, [event("ADDED", 5), None]), (200, [error(410)]), (200, [json.dumps(listing).encode()])]
    watch._reached = "4"
    watch.start()
    until(lambda: len(server.asked) == 4)
    watch.stop(5)

    assert ["4" in server.asked[0], "resourceVersion=5" in server.asked[1]] == [True, True]
    assert "watch" not in server.asked[2]
    assert "resourceVersion=7" in server.asked[3]
    assert heard.things == [("ADDED", "a"), (None, "c")]
    assert heard.listings == [{"c"}]
    assert not watch.alive


def test_while_nobody_answers_it_says_why(server: Server, watch: ListWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_watch, "_PAUSE_SECONDS", 0.01)
    server.answers = [(503, [b"{}"])] * 100
    watch.start()
    until(lambda: "GET /api/v1/secrets" in watch.trouble)
    watch.stop(5)

    assert not watch.complete.is_set()


def test_one_that_is_stopped_before_it_watches_does_not_begin(server: Server, watch: ListWatch) -> None:
    watch.stop()

    assert watch.follow("4", 1) == "4"


def test_ending_what_has_ended_is_nothing(server: Server, watch: ListWatch) -> None:
    server.answers = [(200, [event("ADDED", 5)])]
    watch.follow("4", 1)
    watch.stop()


SCALED = {"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "c", "uid": "c"}}]}


def test_an_optional_kind_that_is_not_served_is_as_if_there_were_none_of_it_until_it_is(
    server: Server, watch: ListWatch, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_watch, "_ABSENT_SECONDS", 0.01)
    monkeypatch.setattr(watch, "_kind", BY_NAME["ScaledObject"])
    server.answers = [(404, [b"{}"]), (404, [b"{}"]), (200, [json.dumps(SCALED).encode()]), (404, [b"{}"])]
    watch.start()
    until(lambda: len(heard.listings) == 4)
    watch.stop(5)

    assert watch.complete.is_set()
    assert watch.trouble == ""
    assert heard.listings == [set(), set(), {"c"}, set()]


def test_a_kind_that_must_be_there_is_waited_for(
    server: Server, watch: ListWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_watch, "_PAUSE_SECONDS", 0.01)
    server.answers = [(404, [b"{}"])] * 50
    watch.start()
    until(lambda: watch.trouble != "not listed yet")
    watch.stop(5)

    assert not watch.complete.is_set()
