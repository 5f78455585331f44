"""Which namespace a person works in: that of the kubeconfig's current context."""

from kubernetes.config import ConfigException, list_kube_config_contexts

from .access import kubeconfig_file

DEFAULT = "default"


def current_namespace() -> str:
    """Namespace of the current context; "default" when it names none or there is no usable kubeconfig."""
    path = kubeconfig_file()
    if path is None:
        return DEFAULT
    try:
        _, active = list_kube_config_contexts(config_file=str(path))
    except (ConfigException, OSError):
        return DEFAULT
    return active["context"].get("namespace") or DEFAULT
