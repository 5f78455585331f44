"""Told apart from all other silence: the name of a host that this machine cannot look up.

Names of Services are known inside the cluster only, so the remedy is another address, not a server to be mended.
httpx hides the resolver's error behind its own; gRPC has only a text.
"""

import re
import socket
from collections.abc import Iterator

_HOST = re.compile(r"^(?:\w+://)?([^/:]+)")
_GRPC = re.compile(r"(?i)dns resolution failed|address lookup failed|domain name not found")


def failed_lookup(bad: BaseException) -> bool:
    """Whether an error means that a host's name could not be looked up, whatever library raised it."""
    return any(isinstance(cause, socket.gaierror) for cause in _causes(bad))


def failed_grpc_lookup(details: str) -> bool:
    """The same of the details of a gRPC error with the code UNAVAILABLE."""
    return _GRPC.search(details) is not None


def lookup_sentence(url: str) -> str:
    """What to say of a URL whose host's name is unknown here; half a sentence, without a full stop."""
    named = _HOST.search(url)
    host = named[1] if named else url
    inside = " (names that end so are known inside the cluster only)" if ".svc" in host else ""
    return f"the name {host} cannot be looked up from this machine{inside}"


def _causes(bad: BaseException | None) -> Iterator[BaseException]:
    while bad is not None:
        yield bad
        bad = bad.__cause__ or bad.__context__
