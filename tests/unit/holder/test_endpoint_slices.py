"""What a holder knows of revisions and their pods, as slices come, change and go."""

from typing import Any

from modelyard.holder.endpoint_slices import Address, EndpointSlices, Held
from tests.support.servers.held_revision import NAMESPACE, REVISION, endpoint_slice

HELD, OTHER = Held(NAMESPACE, REVISION), Held(NAMESPACE, "other-0123456789")
KUBERNETES = "endpointslice-controller.k8s.io"


def a_book() -> tuple[EndpointSlices, list[Held]]:
    told: list[Held] = []
    return EndpointSlices(told.append), told


def of_other(thing: dict[str, Any]) -> dict[str, Any]:
    labels = {**thing["metadata"]["labels"], "modelyard.dev/revision": OTHER.revision}
    return {**thing, "metadata": {**thing["metadata"], "labels": labels}}


def test_only_the_revision_is_told_of_whose_slice_it_is() -> None:
    book, told = a_book()
    book.take_in(None, endpoint_slice("modelyard", {}))
    assert (book.named(HELD), book.named(OTHER), told) == (True, False, [HELD])

    book.take_in("MODIFIED", of_other(endpoint_slice("modelyard", {})))
    assert (book.named(HELD), book.named(OTHER), set(told[1:])) == (False, True, {HELD, OTHER})

    book.take_in("DELETED", of_other(endpoint_slice("modelyard", {})))
    assert (book.named(OTHER), set(told[3:])) == (False, {OTHER})


def test_what_a_listing_does_not_have_any_more_is_gone() -> None:
    book, told = a_book()
    book.take_in(None, endpoint_slice("modelyard", {}))
    book.take_in(None, endpoint_slice(KUBERNETES, {"http": 8080}))
    book.listing()
    book.listed({"modelyard"})
    assert (book.named(HELD), book.ready(HELD, "http"), told[-1]) == (True, None, HELD)
    book.take_in("DELETED", endpoint_slice(KUBERNETES, {"http": 8080}))
    assert book.ready(HELD, "http") is None


def test_ready_pods_take_their_turns_by_the_port_of_the_protocol() -> None:
    book, _ = a_book()
    first = endpoint_slice(KUBERNETES, {"http": 8080, "grpc": 9000})
    second = endpoint_slice(KUBERNETES, {"http": 8080}, address="fd00::1", uid="2")
    book.take_in(None, first)
    book.take_in(None, second)
    assert {book.ready(HELD, "http") for _ in range(4)} == {Address("127.0.0.1", 8080), Address("fd00::1", 8080)}
    assert {book.ready(HELD, "grpc") for _ in range(4)} == {Address("127.0.0.1", 9000)}
    assert book.ready(HELD, "metrics") is None
    assert str(Address("fd00::1", 8080)) == "[fd00::1]:8080"


def test_a_slice_that_says_nothing_of_readiness_is_ready_as_kubernetes_reads_it() -> None:
    book, _ = a_book()
    silent = endpoint_slice(KUBERNETES, {"http": 8080})
    silent["endpoints"] = [{"addresses": ["10.0.0.1"]}]
    book.take_in(None, silent)
    assert book.ready(HELD, "http") == Address("10.0.0.1", 8080)
    book.take_in("MODIFIED", {**silent, "endpoints": None, "ports": None})
    assert book.ready(HELD, "http") is None
