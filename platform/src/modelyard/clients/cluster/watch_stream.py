"""The events of one watch, line by line as they arrive; another thread may end it."""

import contextlib
from collections.abc import Iterator
from typing import Any

from pydantic_core import from_json
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from modelyard.errors import Unreachable

from .status_errors import error_of


class WatchStream:
    """(type, object) of every event, bookmarks included; `path` is what the watch is of."""

    def __init__(self, response: BaseHTTPResponse, path: str) -> None:
        self._response, self._path = response, path
        self._ended = False

    def __enter__(self) -> "WatchStream":
        return self

    def __exit__(self, *_: object) -> None:
        self._response.release_conn()

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Raises what `status_errors` makes of an ERROR that the API server says, Unreachable when it breaks off."""
        for line in self._lines():
            try:
                event = from_json(line)
                kind, thing = event["type"], event["object"]
            except (ValueError, TypeError, KeyError) as bad:
                raise Unreachable(f"the watch of {self._path} said something else than events: {bad}.") from bad
            if kind == "ERROR":
                raise error_of(thing.get("code"), thing.get("message", ""), f"the watch of {self._path}")
            yield kind, thing

    def end(self) -> None:
        """Ends what another thread reads."""
        self._ended = True
        with contextlib.suppress(Exception):  # it ended by itself meanwhile
            self._response.shutdown()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        try:
            for chunk in self._response.stream(65536, decode_content=True):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from filter(None, lines)
        except HTTPError as bad:
            if not self._ended:
                why = f"{type(bad).__name__}: {bad}"
                raise Unreachable(f"the API server broke off the watch of {self._path}: {why}.") from bad
