"""A simulated MLflow, a client of it, and a bucket."""

from collections.abc import Iterator

import pytest

from modelyard.clients.mlflow import MlflowServer
from modelyard.clients.store import S3Store
from modelyard.mlflow_settings import MlflowSettings
from modelyard.mlflow_sync.synchronizer import Synchronizer, SyncOptions
from tests.support.servers.mlflow.calls import MlflowUser
from tests.support.servers.mlflow.simulated import SimulatedMlflow, simulated_mlflow


@pytest.fixture
def mlflow() -> Iterator[SimulatedMlflow]:
    with simulated_mlflow() as server:
        yield server


@pytest.fixture
def user(mlflow: SimulatedMlflow) -> MlflowUser:
    return MlflowUser(mlflow.url)


@pytest.fixture
def server(mlflow: SimulatedMlflow) -> Iterator[MlflowServer]:
    client = MlflowServer(MlflowSettings(url=mlflow.url))
    yield client
    client.close()


@pytest.fixture
def synchronizer(server: MlflowServer, store: S3Store) -> Synchronizer:
    return Synchronizer(server, store, SyncOptions(), now=lambda: 1_800_000_000.0)
