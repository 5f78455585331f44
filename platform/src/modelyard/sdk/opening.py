"""What both clients are made of: a checked address, options, and a connection of the wanted kind."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from modelyard.clients.inference.predictions import Endpoint
from modelyard.errors import InvalidInput, InvalidSettings

from .address import ServerAddress, address
from .cluster_view import gateway
from .steps import Session
from .wire.calls import ClientOptions


def session(url: str, namespace: str, domain: str, protocol: str, options: ClientOptions) -> Session:
    """Raises InvalidSettings for an address or options that cannot be used."""
    if options.timeout <= 0 or options.retries < 0 or options.connections < 1:
        raise InvalidSettings("timeout and connections are above 0, and retries 0 or more: correct them.")
    if not all(" " < sign <= "~" for sign in options.token):
        raise InvalidSettings("the token has signs that no header can carry: give it without spaces and line ends.")
    return Session(address(url, namespace, domain, protocol), options)


def cluster_address(stack: ExitStack, namespace: str, protocol: str) -> ServerAddress:
    """The gateway's address, checked for the protocol."""
    found = gateway(stack, namespace)
    return address(found.url, found.namespace, found.domain, protocol)


def connection(protocol: str, options: ClientOptions, *, awaited: bool) -> Any:
    """A connection of that protocol. Raises InvalidSettings where a package is missing, or excludes gRPC."""
    from .wire.http_connections import AsyncHttpConnection, HttpConnection

    if protocol == "http":
        return (AsyncHttpConnection if awaited else HttpConnection)(options)
    try:
        from .wire.grpc_connections import AsyncGrpcConnection, GrpcConnection
    except ModuleNotFoundError as missing:
        raise InvalidSettings(f"gRPC needs the package {missing.name}: pip install 'modelyard[grpc]'.") from missing
    return (AsyncGrpcConnection if awaited else GrpcConnection)(options)


def endpoint(session: Session, model: str, revision: str) -> Endpoint:
    """Where to ask for a model; raises InvalidInput for an empty name."""
    if not model:
        raise InvalidInput("say which model is meant: its name is empty.")
    return session.address.endpoint(model, revision)


def cluster_namespace(session: Session) -> str:
    """The namespace whose Models are meant; raises InvalidSettings for a client of a single server."""
    if not session.address.namespace:
        raise InvalidSettings("this client knows one server and no cluster: make it with namespace= or from_cluster().")
    return session.address.namespace
