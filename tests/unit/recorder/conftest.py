"""Messages as Envoy sends them."""

from collections.abc import Sequence
from typing import Any

import pytest
from envoy.config.core.v3.base_pb2 import HeaderMap, HeaderValue
from envoy.service.ext_proc.v3.external_processor_pb2 import HttpBody, HttpHeaders, ProcessingRequest
from google.protobuf.struct_pb2 import Struct

ROUTE = "httproute/demo/loans--sampled/rule/0/match/0/loans_demo_models_example_com"


def headers(side: str, last: bool = False, route: str = "", **named: str) -> Any:
    """`request_headers` or `response_headers`; underscores are dashes, `status` is `:status` and `path` is `:path`."""
    names = {name: f":{name}" if name in ("status", "path") else name.replace("_", "-") for name in named}
    values = [HeaderValue(key=names[name], raw_value=value.encode()) for name, value in named.items()]
    message = ProcessingRequest(
        **{f"{side}_headers": HttpHeaders(headers=HeaderMap(headers=values), end_of_stream=last)}  # pyright: ignore
    )
    if route:
        attributes = Struct()
        attributes.update({"xds.route_name": route})
        message.attributes["envoy.filters.http.ext_proc"].CopyFrom(attributes)
    return message


def piece(side: str, content: bytes, last: bool = False) -> Any:
    """`request_body` or `response_body`."""
    return ProcessingRequest(**{f"{side}_body": HttpBody(body=content, end_of_stream=last)})  # pyright: ignore


def prediction(
    request: bytes, response: bytes, status: str = "200", route: str = ROUTE, revision: str = "loans-1", share: str = ""
) -> Sequence[Any]:
    """A prediction over HTTP, its bodies in two pieces each."""
    marks = {"x_modelyard_sample": share} if share else {}
    return [
        headers("request", route=route, path="/v2/models/loans/infer", x_request_id="id-1"),
        piece("request", request[:5]),
        piece("request", request[5:], last=True),
        headers("response", status=status, x_modelyard_revision=revision, **marks),
        piece("response", response[:5]),
        piece("response", response[5:], last=True),
    ]


@pytest.fixture(name="envoy")
def _envoy() -> Any:
    import sys

    return sys.modules[__name__]
