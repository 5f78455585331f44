"""KServe's chart as we install it: Standard mode, a webhook certificate of our own authority; our images, or its own.

The chart expects cert-manager and a proxy in front of the metrics; neither is needed in a cluster on one machine.
`adapted` is pure: the rendered chart in, the objects to apply out.
"""

import base64
from collections.abc import Iterable
from typing import Any

from localcluster.identity.certificates import Pair
from localcluster.node.members import FIRST
from localcluster.versions import local_image

NAMESPACE = "kserve"
WEBHOOK_HOSTS = ["kserve-webhook-server-service.kserve.svc", "kserve-webhook-server-service.kserve.svc.cluster.local"]
MANAGER = "kserve-controller-manager"
CHART_VALUES = {
    "kserve.controller.deploymentMode": "Standard",
    "kserve.controller.gateway.ingressGateway.enableGatewayApi": "true",
    "kserve.controller.gateway.ingressGateway.kserveGateway": "modelyard-system/modelyard",
    "kserve.controller.gateway.ingressGateway.className": "modelyard",
    "kserve.controller.gateway.disableIstioVirtualHost": "true",
    "kserve.controller.gateway.domain": "models.local",
}
LOCAL_IMAGES = {
    "kserve.storage.image": local_image("storage-initializer").rpartition(":")[0],
    "kserve.storage.tag": local_image("storage-initializer").rpartition(":")[2],
}
CRDS = (
    "serving.kserve.io_clusterservingruntimes.yaml",
    "serving.kserve.io_inferencegraphs.yaml",
    "serving.kserve.io_inferenceservices.yaml",
    "serving.kserve.io_servingruntimes.yaml",
    "serving.kserve.io_trainedmodels.yaml",
    "clusterstoragecontainer/serving.kserve.io_clusterstoragecontainers.yaml",
)
_LEFT_OUT = ("Certificate", "Issuer", "Secret")

Object = dict[str, Any]


def adapted(rendered: Iterable[Object | None], authority: Pair, webhook: Pair, published: bool = False) -> list[Object]:
    """The objects of the rendered chart that this cluster gets, with its certificate in every webhook.

    The manager runs in the image made here, unless that of KServe's authors is wanted (`published`).
    """
    found = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/tls",
            "metadata": {"name": "kserve-webhook-server-cert", "namespace": NAMESPACE},
            "data": {"tls.crt": _text(webhook.certificate_pem), "tls.key": _text(webhook.key_pem)},
        },
    ]
    for item in rendered:
        if item and item["kind"] not in _LEFT_OUT:
            found.append(_adapted(item, authority, published))
    return found


def _adapted(item: Object, authority: Pair, published: bool) -> Object:
    if item["kind"].endswith("WebhookConfiguration"):
        for hook in item["webhooks"]:
            hook["clientConfig"]["caBundle"] = _text(authority.certificate_pem)
        item["metadata"].get("annotations", {}).pop("cert-manager.io/inject-ca-from", None)
    if item["kind"] == "Deployment":
        _adapt_manager(item["spec"]["template"]["spec"], published)
    return item


def _adapt_manager(pod: Object, published: bool) -> None:
    """Only the manager, asked from the first second on whether it is ready."""
    manager = next(container for container in pod["containers"] if container["name"] == "manager")
    pod["containers"] = [manager]
    manager["imagePullPolicy"] = "IfNotPresent"
    if not published:
        pod["nodeSelector"] = {"kubernetes.io/hostname": FIRST.name}
        manager["image"] = local_image("kserve-manager")
        manager["command"] = ["/kserve-manager"]
    manager["args"] = ["--metrics-addr=:8080", *(word for word in manager["args"] if "--metrics-addr" not in word)]
    manager["resources"] = {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": "512Mi"}}
    manager["readinessProbe"].update(initialDelaySeconds=1, periodSeconds=1)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
