"""Which namespace a person works in: that of the kubeconfig's current context."""

from kubernetes.config import list_kube_config_contexts

from .access import kubeconfig_file

DEFAULT = "default"


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
