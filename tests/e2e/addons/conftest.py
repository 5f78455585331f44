"""These proofs need KEDA, a Prometheus and MLflow: `make cluster ADDONS=keda,monitoring,mlflow`.

Without a cluster they bring one up.
"""

from collections.abc import Iterator

import pytest

from tests.support.cluster.local_cluster import running_cluster


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A running cluster with these add-ons, Modelyard installed and the example entries pushed."""
    with running_cluster(tmp_path_factory.getbasetemp(), addons="keda,monitoring,mlflow"):
        yield
