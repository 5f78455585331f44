"""The load counts every request once, answered or failed, and says who answered."""

import time

import numpy as np

from demo.load import Load
from modelyard.clients.inference.predictions import Endpoint
from tests.support.servers import inference_server
from tests.support.servers.inference_server import HOST


def _until(load, enough):
    for _ in range(500):
        if enough(load.tally):
            return
        time.sleep(0.02)


def _inputs(value=1.0):
    return {"x": np.full((1, 2), value, "float32"), "word": np.array([b"w"], dtype=object)}


def test_answers_are_counted_by_protocol_and_by_revision():
    with (
        inference_server.running() as served,
        Load(Endpoint(served.http, "double", HOST), _inputs(), clients=1, limit=30) as load,
    ):
        _until(load, lambda tally: tally.requests >= 3)

    assert load.tally.answered["HTTP"] >= 3
    assert load.tally.by["double-a"] == load.tally.requests
    assert load.tally.failed.total() == 0


def test_a_refused_request_is_a_failed_one():
    with (
        inference_server.running() as served,
        Load(Endpoint(served.grpc, "double", HOST), _inputs(np.inf), clients=2, limit=30) as load,
    ):
        _until(load, lambda tally: tally.failed["gRPC"] >= 2)

    assert load.tally.failed["gRPC"] >= 2
    assert load.tally.answered.total() == 0


def test_the_load_ends_by_itself_at_its_limit():
    with (
        inference_server.running() as served,
        Load(Endpoint(served.http, "double", HOST), _inputs(), clients=1, limit=0) as load,
    ):
        pass

    assert load.tally.requests <= 1
