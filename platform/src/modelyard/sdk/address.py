"""Where the models of a client answer.

| given | what is asked | for |
|---|---|---|
| the URL alone | that URL | one server, such as `modelyard serve`, or one Model's own URL |
| URL and namespace | `URL/<namespace>/<model>/` | the gateway without DNS; HTTP only |
| URL, namespace and domain | the URL, with the host `<model>.<namespace>.<domain>` | the gateway; HTTP and gRPC |
"""

from typing import NamedTuple

import httpx

from modelyard.clients.inference.predictions import Endpoint
from modelyard.core.names import host
from modelyard.errors import InvalidSettings

_EXAMPLE = "write one such as http://127.0.0.1:8080"


class ServerAddress(NamedTuple):
    """A server or a gateway; see the table above."""

    url: str
    namespace: str = ""
    domain: str = ""

    def endpoint(self, model: str, revision: str = "") -> Endpoint:
        """Where to ask for a model, pinned to `revision` unless that is empty."""
        if not self.namespace:
            return Endpoint(self.url, model, revision=revision)
        if not self.domain:
            return Endpoint(f"{self.url}/{self.namespace}/{model}", model, revision=revision)
        return Endpoint(self.url, model, host(model, self.namespace, self.domain), revision)


def address(url: str, namespace: str, domain: str, protocol: str) -> ServerAddress:
    """The checked address; raises InvalidSettings for one that cannot be asked over `protocol`, http or grpc."""
    written = url if "://" in url else f"http://{url}"
    try:
        parsed = httpx.URL(written)
    except httpx.InvalidURL as bad:
        raise InvalidSettings(f"{url} is no address ({bad}): {_EXAMPLE}.") from bad
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise InvalidSettings(f"{url or 'an empty text'} is no address: {_EXAMPLE}.")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise InvalidSettings("an address has no user, no query and no fragment: give credentials with token=.")
    if protocol not in ("http", "grpc"):
        raise InvalidSettings(f"protocol {protocol!r} is none: write http or grpc.")
    if domain and not namespace:
        raise InvalidSettings("a domain needs the Models' namespace: give namespace=, too.")
    if protocol == "grpc" and namespace and not domain:
        raise InvalidSettings("gRPC finds a Model by its host name: give domain=, such as models.example.com.")
    if protocol == "grpc" and parsed.path.strip("/"):
        raise InvalidSettings(f"gRPC has no paths, and {url} has one: give the address alone, or use HTTP.")
    return ServerAddress(written.rstrip("/"), namespace, domain)
