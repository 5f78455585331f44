"""A real etcd and kube-apiserver for tests, knowing every kind that Modelyard's objects are of.

No controller runs there: what is applied is checked and kept, and nothing happens to it.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import pytest
from kubernetes import client, config

from localcluster import apiserver as server

BIN = Path(sys.executable).parent
MODEL_DEFINITION = Path(__file__).resolve().parents[3] / "charts" / "modelyard" / "templates" / "crd-models.yaml"


@dataclass(frozen=True)
class RealApiServer:
    """A running API server: its kubeconfig for programs and a client for Python."""

    kubeconfig: Path
    client: client.ApiClient

    def run(self, program: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """kubectl or helm against this server; never raises."""
        command = [str(BIN / program), f"--kubeconfig={self.kubeconfig}", *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=120, check=False)

    def complaint(self, text: str) -> str:
        """What the server says against the YAML, read strictly and not kept; empty when nothing."""
        how = ("--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts")
        done = self.run("kubectl", "apply", *how, "-f", "-", stdin=text)
        return "" if done.returncode == 0 else done.stderr

    def namespace(self, name: str) -> None:
        """Makes a namespace when it is not there."""
        try:
            client.CoreV1Api(self.client).create_namespace({"metadata": {"name": name}})
        except client.ApiException as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealApiServer]:
    """An API server with the definitions of Model, KServe, Gateway API and Envoy Gateway."""
    folder = tmp_path_factory.mktemp("apiserver")
    with server.running(folder, crds=server.CRD_SETS, manifests=[MODEL_DEFINITION]) as started:
        real = RealApiServer(started.kubeconfig, config.new_client_from_config(str(started.kubeconfig)))
        for namespace in ("demo", "modelyard-system"):
            real.namespace(namespace)
        yield real
