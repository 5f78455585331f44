"""More rows than fit into one request are answered as if they did."""

import numpy as np
import pytest

from modelyard.clients.inference.parts import predict_rows
from modelyard.clients.inference.predictions import Endpoint, Prediction, connect
from modelyard.errors import InvalidInput
from tests.support.servers import inference_server
from tests.support.servers.inference_server import HOST


def rows(count):
    words = np.array([str(row).encode() for row in range(count)], dtype=object)
    return {"x": np.arange(2 * count, dtype=np.float32).reshape(count, 2), "word": words}


@pytest.fixture(scope="module")
def limited():
    with inference_server.running(largest=4) as addresses:
        yield addresses


@pytest.fixture(params=["http", "grpc"])
def connection(request, limited):
    made = connect(Endpoint(getattr(limited, request.param), "double", HOST), grpc=request.param == "grpc")
    yield made
    made.close()


@pytest.mark.parametrize("count", [1, 4, 5, 8, 11])
def test_every_row_is_answered_in_its_place(connection, count):
    answer = predict_rows(connection, rows(count))

    assert answer.outputs["y"].tolist() == (2 * rows(count)["x"]).tolist()
    assert answer.outputs["word"].tolist() == rows(count)["word"].tolist()
    assert answer.revision == "double-a"


def test_a_server_that_does_not_say_has_no_limit():
    connection = connect(Endpoint("http://127.0.0.1:9", "double", HOST), grpc=True)

    assert connection.largest_batch() == 0
    connection.close()


def test_a_server_without_a_limit_gets_all_at_once():
    with inference_server.running() as addresses:
        connection = connect(Endpoint(addresses.http, "double", HOST))
        assert predict_rows(connection, rows(100)).outputs["y"].shape == (100, 2)
        connection.close()


@pytest.mark.parametrize("words", [rows(3)["word"], rows(1)["word"]])
def test_inputs_of_different_lengths_are_refused_before_they_are_sent(connection, words):
    with pytest.raises(InvalidInput, match=f"same number of rows, and x has 6, word has {len(words)}"):
        predict_rows(connection, {**rows(6), "word": words})


class _Padded:
    """Pads what it answers to the longest row of a request, as models of sentences do."""

    def largest_batch(self):
        return 2

    def predict(self, inputs):
        return Prediction({"y": np.zeros((2, int(inputs["x"].max())))}, "")


def test_answers_that_make_no_whole_lead_to_fewer_rows():
    with pytest.raises(InvalidInput, match=r"4 rows are more than the 2 .* \(y has shapes .*--first 2"):
        predict_rows(_Padded(), {"x": np.array([[1], [1], [2], [2]])})
