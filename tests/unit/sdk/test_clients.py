"""Both clients against a server on real sockets, which answers like a gateway: HTTP in JSON and raw bytes, and gRPC."""

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest

from modelyard import AsyncClient, Client
from modelyard.errors import DeadlineExceeded, InvalidInput, InvalidSettings, ModelyardError, NotOffered, Unreachable
from tests.support.servers.answering_server import answering
from tests.support.servers.inference_server import Addresses, Manners, running

WAYS: dict[str, dict[str, Any]] = {
    "bytes": {"protocol": "http"},
    "JSON": {"protocol": "http", "binary": False},
    "gRPC": {"protocol": "grpc"},
}
ROWS = {"x": [[1.0, 2.0], [3.0, 4.5]], "word": ["one", "zwölf"]}
SLOW, BROKEN, OTHER = "double-slow", "double-broken", "double-other"
HEADERS = Manners()
Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def served() -> Iterator[Addresses]:
    manners = {
        SLOW: Manners(delay=0.5),
        BROKEN: Manners(fails_each=1),
        OTHER: Manners(factor=3.0, explains=True),
        "double-seen": HEADERS,
    }
    with running(manners, largest=2) as addresses:
        yield addresses


@contextmanager
def blocking(url: str, **options: Any) -> Iterator[Ask]:
    """`ask(method, ...)` of a client that blocks."""
    with Client(url, **options) as client:
        yield lambda method, *args, **more: getattr(client, method)(*args, **more)


@contextmanager
def awaiting(url: str, **options: Any) -> Iterator[Ask]:
    """The same of one that is awaited."""
    with asyncio.Runner() as runner:

        async def made() -> AsyncClient:
            return AsyncClient(url, **options)

        client = runner.run(made())
        try:
            yield lambda method, *args, **more: runner.run(getattr(client, method)(*args, **more))
        finally:
            runner.run(client.close())


@pytest.fixture(params=[blocking, awaiting])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=WAYS)
def ask(request: pytest.FixtureRequest, served: Addresses, kind: Any) -> Iterator[Ask]:
    options = WAYS[request.param]
    url = served.grpc if options["protocol"] == "grpc" else served.http
    with kind(url, namespace="demo", domain="models.local", **options) as asked:
        yield asked


def test_a_prediction_has_numbers_and_texts(ask: Ask) -> None:
    assert ask("predict", "double", ROWS) == {"y": [[2.0, 4.0], [6.0, 9.0]], "word": ["one", "zwölf"]}


def test_an_answer_says_which_revision_gave_it(ask: Ask) -> None:
    answer = ask("infer", "double", ROWS, revision=OTHER, request_id="order-1")

    assert answer.revision == OTHER
    assert answer.outputs["y"].tolist() == [[3.0, 6.0], [9.0, 13.5]]


def test_a_model_says_what_it_takes(ask: Ask) -> None:
    assert [spec.name for spec in ask("describe", "double").inputs] == ["x", "word"]


def test_many_rows_go_in_parts_and_come_back_in_order(ask: Ask) -> None:
    rows = [{"x": [number, 0.5], "word": f"row {number}"} for number in range(7)]
    told: list[tuple[int, int]] = []

    answer = ask("predict_batch", "double", rows, in_flight=3, progress=lambda *counts: told.append(counts))

    assert answer == [{"y": [2.0 * number, 1.0], "word": f"row {number}"} for number in range(7)]
    assert told[-1] == (7, 7)
    assert len(told) == 4


def test_few_rows_go_at_once_and_more_than_the_server_takes_are_never_sent(ask: Ask) -> None:
    assert ask("predict_batch", "double", ROWS, progress=True)["word"] == ["one", "zwölf"]
    assert len(ask("predict_batch", "double", [{"x": [1, 2], "word": ""}] * 5, batch_size=100)) == 5


def test_an_error_in_a_batch_says_in_which_rows(ask: Ask) -> None:
    rows = [{"x": [number, 1], "word": ""} for number in range(3)] + [{"x": [3e38, 3e38], "word": ""}]

    with pytest.raises(InvalidInput, match="x is not finite") as bad:
        ask("predict_batch", "double", rows)
    assert bad.value.__notes__ == ["in rows 2 to 3"]


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"in_flight": 0}])
def test_a_batch_of_nothing_is_a_mistake(ask: Ask, options: dict[str, int]) -> None:
    with pytest.raises(InvalidInput, match="=0 is none"):
        ask("predict_batch", "double", ROWS, **options)


def test_inputs_of_different_lengths_are_no_batch(ask: Ask) -> None:
    with pytest.raises(InvalidInput, match="the same number of rows, 3, but word has 1"):
        ask("predict_batch", "double", {"x": np.zeros((3, 2)), "word": np.array(["one"])})


def test_a_wrong_shape_is_refused_before_it_is_sent(ask: Ask) -> None:
    with pytest.raises(InvalidInput, match="input 'x' takes an array of any x 2; given is 1 x 3"):
        ask("predict", "double", {"x": [[1, 2, 3]], "word": ["one"]})


def test_a_slow_answer_ends_with_the_time_of_the_call(ask: Ask) -> None:
    ask("describe", "double", revision=SLOW)

    with pytest.raises(DeadlineExceeded, match=r"did not answer within 0\.1 s: allow more with timeout="):
        ask("predict", "double", ROWS, revision=SLOW, timeout=0.1)


def test_a_failure_of_the_model_is_told_in_its_words(ask: Ask) -> None:
    with pytest.raises(ModelyardError, match="out of luck"):
        ask("predict", "double", ROWS, revision=BROKEN)


def test_no_explainer_is_a_clear_answer(ask: Ask) -> None:
    with pytest.raises(NotOffered):
        ask("explain", "double", ROWS)


def test_what_an_explainer_answers_comes_back_as_it_is(served: Addresses, kind: Any) -> None:
    with kind(served.http, namespace="demo", domain="models.local") as asked:
        assert asked("explain", "double", ROWS, revision=OTHER) == {"explanations": []}


def test_the_id_and_the_token_travel_along(served: Addresses, kind: Any) -> None:
    for url, protocol in ((served.http, "http"), (served.grpc, "grpc")):
        with kind(url, namespace="demo", domain="models.local", protocol=protocol, token="word") as asked:
            asked("predict", "double", ROWS, revision="double-seen", request_id="order-4711")
        assert HEADERS.headers[-1]["x-request-id"] == "order-4711"
        assert HEADERS.headers[-1]["authorization"] == "Bearer word"


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_server_that_is_away_is_named(kind: Any, protocol: str) -> None:
    with (
        kind("http://127.0.0.1:1", protocol=protocol, retries=1) as asked,
        pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 did not answer .* check the address"),
    ):
        asked("predict", "double", ROWS)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_a_name_that_is_unknown_here_is_an_address_to_correct(kind: Any, protocol: str) -> None:
    with (
        kind("http://gateway.invalid", protocol=protocol, retries=0) as asked,
        pytest.raises(Unreachable, match="cannot be looked up from this machine: correct the client's address"),
    ):
        asked("predict", "double", ROWS)


def test_a_connection_that_breaks_is_not_tried_again(kind: Any) -> None:
    with (
        answering(answers=0) as port,
        kind(f"http://127.0.0.1:{port}") as asked,
        pytest.raises(Unreachable, match="broke before the answer was there"),
    ):
        asked("models")


def test_a_busy_server_is_asked_again_when_it_says_so(kind: Any) -> None:
    busy = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"
    with (
        answering(busy) as port,
        kind(f"http://127.0.0.1:{port}", retries=1) as asked,
        pytest.raises(Unreachable, match="asks to come back later"),
    ):
        asked("models")


def test_an_answer_that_never_ends_is_given_up(kind: Any) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}"
    with (
        answering(endless) as port,
        kind(f"http://127.0.0.1:{port}", timeout=0.2) as asked,
        pytest.raises(DeadlineExceeded),
    ):
        asked("models")


def test_a_process_with_kserve_is_told_why_it_has_no_grpc() -> None:
    script = (
        "import sys; sys.modules['kserve'] = sys\n"
        "import modelyard\n"
        "try: modelyard.Client('http://127.0.0.1:1', protocol='grpc')\n"
        "except modelyard.errors.InvalidSettings as bad: print(bad)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "this process has imported kserve" in done.stdout


def test_a_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("modelyard.sdk.wire.grpc")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "grpc", None)

    with pytest.raises(InvalidSettings, match=r"gRPC needs the package grpc: pip install 'modelyard\[grpc\]'"):
        Client("http://127.0.0.1:1", protocol="grpc")


def test_the_package_gives_its_clients_and_nothing_that_is_not_there() -> None:
    import modelyard

    assert modelyard.Client is Client
    with pytest.raises(AttributeError, match="has no attribute 'Klient'"):
        _ = modelyard.Klient  # type: ignore[attr-defined]


def test_an_answer_that_drips_is_given_up_when_its_time_is_over(kind: Any) -> None:
    with (
        dripping() as url,
        kind(url, timeout=0.3) as asked,
        pytest.raises(DeadlineExceeded, match=r"did not answer within 0\.3 s"),
    ):
        asked("describe", "double")


def test_labels_are_not_given_over_grpc(kind: Any) -> None:
    with (
        kind("http://127.0.0.1:1", protocol="grpc", namespace="demo", domain="models.local") as asked,
        pytest.raises(NotOffered, match="labels are taken over HTTP"),
    ):
        asked("feedback", "double", "order-1", 1)


@contextmanager
def dripping() -> Iterator[str]:
    """The URL of a server that answers a byte every now and then, and never ends."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            client, _ = listener.accept()
            with client:
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not over.wait(0.05):
                    client.sendall(b" ")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.close()
        thread.join()
