"""Verbs from a folder without configuration, against a real API server: what they need, the cluster tells."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.port_forward import PortForward, pod_stream
from modelyard.core.snapshot import Ref
from modelyard.errors import Refused
from tests.support.machine.command_line import Ran, modelyard
from tests.support.operator.bench import eventually
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers import inference_server

pytestmark = pytest.mark.integration
HOME = "modelyard-system"


@pytest.fixture
def cluster(apiserver: RealApiServer) -> Iterator[Cluster]:
    """The API server, without what a test put into the platform's namespace once it is over."""
    made = Cluster(access(apiserver.kubeconfig))
    yield made
    for kind in ("ConfigMap", "Lease"):
        made.delete(Ref(kind, HOME, "modelyard-operator"))


def platform(api: RealApiServer, kind: str, version: str, **body: Any) -> None:
    metadata = {"name": "modelyard-operator", "namespace": HOME}
    manifest = {"apiVersion": version, "kind": kind, "metadata": metadata, **body}
    done = api.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(manifest))
    assert done.returncode == 0, done.stderr


def run(api: RealApiServer, folder: Path, *words: str) -> Ran:
    return modelyard(*words, cwd=folder, KUBECONFIG=str(api.kubeconfig), NO_COLOR="1", COLUMNS="200")


def test_the_gateways_address_and_domain_come_from_the_operators_settings(
    apiserver: RealApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "in.json").write_text(json.dumps({"x": [[1, 2]], "word": ["one"]}))
    with inference_server.running() as served:
        config = yaml.safe_dump({"gateway": {"publicUrl": served.http, "domain": "models.local"}})
        platform(apiserver, "ConfigMap", "v1", data={"config.yaml": config})

        ran = run(apiserver, tmp_path, "predict", "double", "-n", "demo", "--input", "in.json", "-o", "json")

    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["outputs"][0]["data"] == [[2, 4]]


def test_a_gateway_nobody_knows_of_is_not_called_published(
    apiserver: RealApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    (tmp_path / "in.json").write_text("{}")

    ran = run(apiserver, tmp_path, "predict", "double", "-n", "demo", "--input", "in.json")

    assert ran.code == 1
    assert "no address of Gateway modelyard-system/modelyard answers from this machine" in " ".join(ran.err.split())
    assert "published" not in ran.err


def test_a_port_that_may_not_be_forwarded_is_told_before_anything_listens(cluster: Cluster) -> None:
    with pytest.raises(Refused, match=r"forwards no port of pod demo/nobody: Handshake status 404 Not Found\."):
        PortForward(pod_stream(cluster.configuration, Ref("Pod", "demo", "nobody"), 10080))


def test_explain_says_that_nobody_decides_while_no_operator_leads(
    apiserver: RealApiServer, cluster: Cluster, tmp_path: Path
) -> None:
    renewed = f"{cluster.now():%Y-%m-%dT%H:%M:%S.000000Z}"
    lease = {"holderIdentity": "operator-1", "leaseDurationSeconds": 15, "renewTime": renewed}
    spec = {"source": {"name": "digits", "version": "1"}}
    metadata = {"name": "explained", "namespace": "demo"}
    model = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
    assert apiserver.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump(model)).returncode == 0
    platform(apiserver, "Lease", "coordination.k8s.io/v1", spec=lease)

    def explained() -> Ran | None:
        """Once the API server's storage of all kinds is there, which takes a moment after its start."""
        ran = run(apiserver, tmp_path, "explain", "explained", "-n", "demo")
        return ran if ran.out else None

    leads = eventually(explained, "the API server lists every kind")
    platform(apiserver, "Lease", "coordination.k8s.io/v1", spec={**lease, "renewTime": "2026-01-01T00:00:00.000000Z"})
    silent = eventually(explained, "the API server lists every kind")
    cluster.delete(Ref("Model", "demo", "explained"))

    assert "has not taken up the latest version" in leads.out
    assert silent.code == 1
    assert "Wrong at Operator: operator-1 led, but has been silent for" in silent.out
