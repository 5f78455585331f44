"""The end-to-end tests from inside a cluster: `python -m tests.e2e.inside`, in a pod that may do everything.

Writes what a person's clone has, `.modelyard/kubeconfig` and `.modelyard/config.yaml`, from the pod's own identity
and the platform's ConfigMap and Secret; then runs the tests against that cluster.
"""

import base64
import os
import sys
from pathlib import Path

import yaml
from kubernetes import client, config

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".modelyard"
IDENTITY = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PLATFORM = "modelyard-system"


def kubeconfig() -> dict[str, object]:
    """The pod's own access, as programs read it from a file."""
    cluster = {"server": "https://kubernetes.default.svc", "certificate-authority": str(IDENTITY / "ca.crt")}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": cluster}],
        "users": [{"name": "me", "user": {"tokenFile": str(IDENTITY / "token")}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }


def settings() -> dict[str, dict[str, object]]:
    """The operator's configuration with the credentials of those who push."""
    config.load_incluster_config()
    core = client.CoreV1Api()
    found = yaml.safe_load(core.read_namespaced_config_map("modelyard-operator", PLATFORM).data["config.yaml"])
    secret = core.read_namespaced_secret(found["store"]["writerSecret"], PLATFORM).data
    keys = {name: base64.b64decode(secret[name]).decode() for name in ("accessKeyId", "secretAccessKey")}
    address = found["gateway"]["url"]
    return {"store": {**found["store"], **keys}, "gateway": {**found["gateway"], "publicUrl": address}}


def main() -> None:
    """Writes both files and becomes pytest."""
    os.umask(0o077)
    HOME.mkdir(exist_ok=True)
    (HOME / "kubeconfig").write_text(yaml.safe_dump(kubeconfig()))
    (HOME / "config.yaml").write_text(yaml.safe_dump(settings()))
    os.environ.update(MODELYARD_CLUSTER="existing", KUBECONFIG=str(HOME / "kubeconfig"))
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "tests/e2e", *sys.argv[1:]])


if __name__ == "__main__":
    main()
