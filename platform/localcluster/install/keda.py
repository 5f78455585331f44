"""KEDA's objects as we install them: our images, certificates it makes for itself, no admission webhooks.

`adapted` is pure: the rendered objects in, the objects to apply out. KEDA's operator ends once on purpose after it
has made its certificates, so its first restart is no failure; alone, it needs no election. A small machine that others
keep busy does not answer a probe within a second: whoever is taken out for that has replicas stay as they are.
"""

from collections.abc import Iterable
from typing import Any

from localcluster.versions import local_image

NAMESPACE = "keda"
OPERATOR = "keda-operator"
ADAPTER = "keda-metrics-apiserver"
_IMAGES = {OPERATOR: "keda-operator", ADAPTER: "keda-adapter"}
_OPERATOR_ARGUMENTS = ("--enable-cert-rotation=true", "--enable-webhook-patching=false")

Object = dict[str, Any]


def adapted(rendered: Iterable[Object | None]) -> list[Object]:
    """The objects this cluster gets."""
    found = [item for item in rendered if item]
    for item in found:
        if item["kind"] == "Deployment":
            _adapt(item["metadata"]["name"], item["spec"]["template"]["spec"]["containers"][0])
    return found


def _adapt(name: str, container: Object) -> None:
    container["image"] = local_image(_IMAGES[name])
    container["imagePullPolicy"] = "IfNotPresent"
    container.pop("command", None)
    container["resources"] = {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
    container["readinessProbe"].update(initialDelaySeconds=1, periodSeconds=1, timeoutSeconds=10, failureThreshold=6)
    container["livenessProbe"].update(timeoutSeconds=10, failureThreshold=10)
    if name == OPERATOR:
        replaced = {"--leader-elect", *(word.split("=")[0] for word in _OPERATOR_ARGUMENTS)}
        given = [word for word in container.get("args", []) if word.split("=")[0] not in replaced]
        container["args"] = [*given, *_OPERATOR_ARGUMENTS]
