"""What the Python clients read from a real API server: Models, rollouts, and where the gateway is."""

import asyncio
from collections.abc import Iterator

import pytest
import yaml

from modelyard import AsyncClient, Client
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidModel, InvalidSettings
from tests.support.objects.rollout_statuses import a_record, a_rollout, an_ended_rollout, conditions, split
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration
NAMESPACE = "client-view"
REF = Ref("Model", NAMESPACE, "digits")


@pytest.fixture(scope="module")
def cluster(apiserver: RealApiServer) -> Cluster:
    apiserver.namespace(NAMESPACE)
    metadata = {"name": REF.name, "namespace": NAMESPACE}
    spec = {"source": {"name": "digits", "version": "2"}}
    manifest = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
    done = apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert done.returncode == 0, done.stderr
    return Cluster(access(apiserver.kubeconfig))


@pytest.fixture
def client(apiserver: RealApiServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig))
    monkeypatch.setenv("MODELYARD_GATEWAY_PUBLIC_URL", "http://gateway.example.com")
    with Client.from_cluster(NAMESPACE) as made:
        yield made


def say(cluster: Cluster, rollout: dict, **status: object) -> None:
    """The operator writes its status."""
    model = cluster.get(REF)
    assert model is not None
    seen = {"observedGeneration": 1, "conditions": conditions(), "revisions": split(), "version": "1"}
    cluster.apply_status(REF, model["metadata"]["uid"], {**seen, "rollout": rollout, **status})


def test_a_rollout_under_way_is_told(client: Client, cluster: Cluster) -> None:
    say(cluster, a_rollout(weight=25, version="2"))

    view = client.rollout("digits")

    assert (view.phase, view.active, view.weight) == ("Advancing", True, 25)
    assert (view.stable_version, view.candidate_version, view.outcome) == ("1", "2", "")


def test_a_rollout_that_has_ended_says_how(client: Client, cluster: Cluster) -> None:
    say(cluster, an_ended_rollout(a_record("Aborted")))

    view = client.rollout("digits")

    assert (view.active, view.outcome, view.candidate_version) == (False, "Aborted", "")


def test_models_are_listed_with_their_readiness(client: Client, cluster: Cluster) -> None:
    say(cluster, an_ended_rollout())

    [model] = client.models()

    assert (model.name, model.version) == ("digits", "1")
    assert model.ready is (model.reason == "")
    with pytest.raises(InvalidModel, match="there is no Model nobody in namespace client-view"):
        client.rollout("nobody")


def test_the_awaited_client_reads_the_same(client: Client, cluster: Cluster) -> None:
    say(cluster, an_ended_rollout())

    async def asked() -> None:
        async with await AsyncClient.from_cluster(NAMESPACE) as awaited:
            assert await awaited.models() == client.models()
            assert await awaited.rollout("digits") == client.rollout("digits")
            assert repr(awaited) == "<AsyncClient of http://gateway.example.com>"

    asyncio.run(asked())


def test_a_missing_package_is_named_with_its_extra(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "modelyard.clients.cluster.models", None)

    with pytest.raises(InvalidSettings, match=r"pip install 'modelyard\[cli\]'"):
        client.models()
