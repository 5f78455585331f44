"""These proofs need a cluster of two nodes: `make cluster NODES=2`, or none, and they bring one up themselves."""

from collections.abc import Iterator

import pytest

from tests.support.cluster.local_cluster import running_cluster


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A running cluster of two nodes with Modelyard installed and the example entries pushed."""
    with running_cluster(tmp_path_factory.getbasetemp(), nodes="2"):
        yield
