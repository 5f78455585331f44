"""Which namespace a person works in, that of the kubeconfig's current context; and who that is for the API server."""

from kubernetes.config import list_kube_config_contexts

from modelyard.errors import OutsideError

from .access import kubeconfig_file
from .api_server import Cluster

DEFAULT = "default"
_REVIEW = {
    "apiVersion": "authentication.k8s.io/v1",
    "kind": "SelfSubjectReview",
    "metadata": {"name": "", "namespace": ""},
}


def current_namespace() -> str:
    """Namespace of the current context; "default" when it names none or there is no usable kubeconfig."""
    path = kubeconfig_file()
    if path is None:
        return DEFAULT
    try:
        _, active = list_kube_config_contexts(config_file=str(path))
        return str(active["context"].get("namespace") or DEFAULT)
    except Exception:  # noqa: BLE001 - the client takes the file's structure for granted; `access` says what is wrong
        return DEFAULT


def caller(cluster: Cluster) -> str:
    """The user's name; empty where the API server is too old to tell, or does not."""
    try:
        return str(cluster.create(_REVIEW).get("status", {}).get("userInfo", {}).get("username", ""))
    except OutsideError:
        return ""
