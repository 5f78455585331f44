"""The whole local cluster for all end-to-end tests, however many processes run them.

`parallel` has the tests that keep to their own namespaces, `exclusive` those that change the platform for everybody:
they end operators, gateways and counters, or ask about the whole cluster. `MODELYARD_KEEP_CLUSTER=1` keeps a cluster
that was started here; `MODELYARD_CLUSTER=existing` uses the caller's instead.
"""

import os
from collections.abc import Iterator

import pytest

from tests.support.cluster.local_cluster import a_namespace, running_cluster


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A running cluster with Modelyard installed and the example entries pushed, the same one for all processes."""
    own = tmp_path_factory.getbasetemp()
    with running_cluster(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own):
        yield


@pytest.fixture
def namespace() -> Iterator[str]:
    """A namespace of the test's own."""
    with a_namespace() as name:
        yield name


@pytest.fixture(scope="module")
def shared_namespace() -> Iterator[str]:
    """A namespace for the tests of one file."""
    with a_namespace() as name:
        yield name
