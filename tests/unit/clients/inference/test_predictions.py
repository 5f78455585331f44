"""One inference over HTTP and over gRPC gives the same answer, and says the same of what goes wrong."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import numpy as np
import pytest

from modelyard.clients.inference.predictions import Endpoint, connect, refusal, silence
from modelyard.errors import InvalidInput, InvalidSettings, Refused, Unreachable
from tests.support.servers import inference_server
from tests.support.servers.inference_server import HOST

INPUTS = {"x": np.array([[1, 2], [3, 4]], "float32"), "word": np.array([b"one", b"two"], dtype=object)}


@pytest.fixture(scope="module")
def served():
    with inference_server.running() as addresses:
        yield addresses


@pytest.fixture(params=["http", "grpc"])
def connection(request, served):
    def to(**changes):
        url = served.grpc if request.param == "grpc" else served.http
        made = connect(Endpoint(url, "double", HOST)._replace(**changes), grpc=request.param == "grpc")
        request.addfinalizer(made.close)
        return made

    return to


def test_the_model_is_described_by_its_server(connection):
    described = connection().describe()

    assert [(one.name, one.datatype, one.shape) for one in described.inputs] == [
        ("x", "FP32", (-1, 2)),
        ("word", "BYTES", (-1,)),
    ]
    assert [one.name for one in described.outputs] == ["y", "word"]


def test_a_prediction_returns_numbers_and_texts_as_arrays(connection):
    outputs = connection().predict(INPUTS).outputs

    assert outputs["y"].tolist() == [[2, 4], [6, 8]]
    assert outputs["word"].tolist() == [b"one", b"two"]


def test_a_prediction_names_the_revision_that_answered(connection):
    assert connection().predict(INPUTS).revision == "double-a"


def test_a_pinned_prediction_is_answered_by_that_revision(connection):
    assert connection(revision="double-b").predict(INPUTS).revision == "double-b"


def test_an_input_the_server_refuses_is_the_callers_mistake(connection):
    with pytest.raises(InvalidInput, match="x is not finite"):
        connection().predict({**INPUTS, "x": np.array([[np.inf, 0], [0, 0]], "float32")})


def test_nobody_listening_is_unreachable_and_leads_to_the_doctor(connection):
    with pytest.raises(Unreachable, match="modelyard doctor"):
        connection(url="http://127.0.0.1:9").describe()


def test_a_name_that_cannot_be_looked_up_is_called_that(connection):
    with pytest.raises(Unreachable, match=r"the name gateway\.invalid cannot be looked up .*: set gateway\.publicUrl"):
        connection(url="http://gateway.invalid").describe()
    with pytest.raises(Unreachable, match=r"the name gateway\.invalid cannot be looked up .*: correct --url"):
        connection(url="http://gateway.invalid", host="").describe()


def test_the_silence_of_an_address_is_told_with_its_cause(served):
    assert silence(served.http) == ""
    assert "refused" in silence("http://127.0.0.1:9")
    assert silence("http://x.svc.invalid").startswith("the name x.svc.invalid cannot be looked up from this machine (")
    assert "InvalidURL" in silence("http://a:b:c")


def test_no_server_at_an_address_of_its_own_leads_to_serve(connection):
    with pytest.raises(Unreachable, match="modelyard serve"):
        connection(url="http://127.0.0.1:9", host="").describe()


def test_an_unpublished_host_leads_to_explain(served):
    connection = connect(Endpoint(served.http, "double", "other.demo.models.local"))

    with pytest.raises(
        Refused, match=r"nothing is published at other\.demo\.models\.local; `modelyard explain double`"
    ):
        connection.describe()
    connection.close()


def test_a_server_without_that_model_asks_to_check_the_name():
    assert "has no model digits" in str(refusal(Endpoint("http://server", "digits"), "404", ""))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("503", Unreachable),
        ("UNAVAILABLE", Unreachable),
        ("UNIMPLEMENTED", Refused),
        ("500", Refused),
        ("401", Refused),
    ],
)
def test_every_other_answer_is_told_apart_by_who_can_mend_it(code, kind):
    assert type(refusal(Endpoint("http://gateway", "digits"), code, "because")) is kind


@pytest.mark.parametrize("url", ["http://[::1", "ftp://server", "http://", "server:8080", ""])
def test_an_address_that_is_none_is_called_that(url):
    with pytest.raises(InvalidSettings, match="is no address"):
        connect(Endpoint(url, "digits"))


@pytest.fixture
def other_server():
    """Answers 200 to everything, with `body`."""

    class Handler(BaseHTTPRequestHandler):
        body = b"<html>welcome</html>"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.body)))
            self.end_headers()
            self.wfile.write(self.body)

        do_POST = do_GET  # noqa: N815 - named by the library

        def log_message(self, format, *args):
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Handler, Endpoint(f"http://127.0.0.1:{server.server_port}", "digits")
    server.shutdown()
    server.server_close()
    thread.join()


OTHER_ANSWERS = [b"<html>welcome</html>", b"", b"[]", b"{}", b'{"name": "a", "inputs": [1]}', b"\xff"]


@pytest.mark.parametrize("body", OTHER_ANSWERS)
def test_another_kind_of_server_is_called_that(other_server, body):
    handler, endpoint = other_server
    handler.body = body
    connection = connect(endpoint)

    with pytest.raises(Refused, match="no server of the Open Inference Protocol"):
        connection.describe()
    assert connection.largest_batch() == 0
    connection.close()


def test_an_answer_in_another_language_is_no_prediction(other_server):
    connection = connect(other_server[1])

    with pytest.raises(Refused, match="it answers '<html>welcome</html>'"):
        connection.predict(INPUTS)
    connection.close()
