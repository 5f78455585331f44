"""The operator's own settings, which hold for what runs in the cluster, for verbs of every room."""

from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.gateway_address import OPERATOR
from modelyard.core.snapshot import Ref
from modelyard.errors import InvalidSettings
from modelyard.settings import Settings, named_groups


def platform_settings(cluster: Cluster) -> Settings:
    """The operator's settings; raises InvalidSettings when they are not where they should be."""
    namespace = Settings.read().operator.namespace
    found = cluster.get(Ref("ConfigMap", namespace, OPERATOR))
    if found is None:
        raise InvalidSettings(
            f"there is no ConfigMap {OPERATOR} in namespace {namespace}: Modelyard is installed elsewhere; name its "
            "namespace in MODELYARD_OPERATOR_NAMESPACE."
        )
    text = found.get("data", {}).get("config.yaml", "")
    return Settings.read(**named_groups(text, f"the ConfigMap {namespace}/{OPERATOR}"))
