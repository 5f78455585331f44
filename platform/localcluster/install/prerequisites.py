"""What the platform's chart expects of a cluster: DNS, Gateway API, Envoy Gateway, KServe, a volume for the store.

Each function can be called again at any time; it leaves an installed thing as it is. Charts and CRDs come from the
very Go modules the programs are built from, so they cannot be of another version.
"""

import base64
import json
import shutil
import string
from pathlib import Path

import yaml

from localcluster.cache import digest_of
from localcluster.errors import CommandFailed
from localcluster.identity.certificates import authority, server
from localcluster.node.network import DNS_SERVICE
from localcluster.paths import PACKAGE, Paths
from localcluster.programs import binaries
from localcluster.steps.task import Task
from localcluster.versions import local_image, version

from . import kserve
from .kubernetes import Kubernetes

MANIFESTS = PACKAGE / "manifests"
ENVOY_GATEWAY_NAMESPACE = "envoy-gateway-system"
PLATFORM_NAMESPACE = "modelyard-system"
START_SECONDS = 120.0
"""What a Deployment may take whose image is on the node."""
_PROBE_RUNTIME = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ClusterServingRuntime",
    "metadata": {"name": "webhook-probe"},
    "spec": {"containers": [{"name": "kserve-container", "image": "none:0"}]},
}


def manifest(name: str, **values: str) -> str:
    """A file of manifests/ with its `${name}` places filled."""
    return string.Template((MANIFESTS / name).read_text()).substitute(values)


def gateway_crds(paths: Paths, task: Task) -> list[Path]:
    """Folders with the CRDs of the Gateway API and of Envoy Gateway."""
    own = binaries.source(paths, task, "envoy-gateway") / "charts" / "gateway-helm" / "charts" / "crds"
    return [binaries.source(paths, task, "gateway-api") / "config" / "crd" / "standard", own / "crds" / "generated"]


def kserve_crds(paths: Paths, task: Task) -> list[Path]:
    """The CRD files of KServe that this version of the platform needs."""
    folder = binaries.source(paths, task, "kserve") / "config" / "crd" / "full"
    return [folder / name for name in kserve.CRDS]


def dns(kubernetes: Kubernetes, task: Task) -> None:
    """CoreDNS under the address every pod asks."""
    kubernetes.apply(task, text=manifest("dns.yaml", coredns=local_image("coredns"), dns_address=DNS_SERVICE))


def store_volume(kubernetes: Kubernetes, task: Task, folder: Path) -> None:
    """A volume for the claim of the embedded store, owned by the user it runs as."""
    kubernetes.apply(task, text=manifest("store-volume.yaml", store_folder=str(owned_folder(folder))))


def owned_folder(folder: Path) -> Path:
    """The folder of a volume, there and owned by the user that our images run as."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.chown(folder, 1000, 1000)
    return folder


def gateway_definitions(kubernetes: Kubernetes, task: Task, paths: Paths) -> None:
    """CRDs of the Gateway API and of Envoy Gateway."""
    kubernetes.define(task, gateway_crds(paths, task))


def envoy_gateway(kubernetes: Kubernetes, task: Task, paths: Paths, image: str = "") -> None:
    """Envoy Gateway by its own chart, in the image made here or in `image`; Helm runs only when something changed."""
    image = image or local_image("envoy-gateway")
    values = manifest("envoy-gateway-values.yaml", envoy_gateway=image)
    key = digest_of(values, version("envoy-gateway"))
    if _noted(kubernetes, task) == key:
        return
    chart = _envoy_gateway_chart(paths, task, image)
    file = chart.parent / "values.yaml"
    file.write_text(values)
    kubernetes.helm(
        task, "upgrade", "--install", "envoy-gateway", chart, "-n", ENVOY_GATEWAY_NAMESPACE, "--create-namespace",
        "-f", file, "--timeout", "3m",
    )  # fmt: skip
    kubernetes.kubectl(
        task, "annotate", "--overwrite", "deployment", "envoy-gateway", "-n", ENVOY_GATEWAY_NAMESPACE,
        f"modelyard.dev/key={key}",
    )  # fmt: skip


def _noted(kubernetes: Kubernetes, task: Task) -> str:
    field = r".metadata.annotations.modelyard\.dev/key"
    return kubernetes.value(task, "deployment", "envoy-gateway", field, ENVOY_GATEWAY_NAMESPACE)


def _envoy_gateway_chart(paths: Paths, task: Task, image: str) -> Path:
    """The chart with its two open places filled, as its release process does it."""
    folder = paths.state / "envoy-gateway"
    chart = folder / "chart"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(binaries.source(paths, task, "envoy-gateway") / "charts" / "gateway-helm", chart)
    for file in chart.rglob("*"):
        file.chmod(file.stat().st_mode | 0o200)
    places = {"GatewayImage": image, "GatewayImagePullPolicy": "IfNotPresent"}
    template = (chart / "values.tmpl.yaml").read_text()
    (chart / "values.yaml").write_text(string.Template(template).safe_substitute(places))
    return chart


def kserve_definitions(kubernetes: Kubernetes, task: Task, paths: Paths) -> None:
    """CRDs of KServe."""
    kubernetes.define(task, kserve_crds(paths, task))


def kserve_manager(kubernetes: Kubernetes, task: Task, paths: Paths, published: bool = False) -> None:
    """KServe's manager, its webhooks and the storage initializer; in the images of its authors when `published`."""
    folder = paths.state / "kserve"
    file = folder / "objects.yaml"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(yaml.safe_dump_all(_kserve_objects(kubernetes, task, paths, published)))
    kubernetes.apply(task, file)


def _kserve_objects(kubernetes: Kubernetes, task: Task, paths: Paths, published: bool) -> list[kserve.Object]:
    chart = binaries.source(paths, task, "kserve") / "charts" / "kserve-resources"
    values = kserve.CHART_VALUES if published else {**kserve.CHART_VALUES, **kserve.LOCAL_IMAGES}
    chosen = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    rendered = kubernetes.helm(task, "template", "kserve", chart, "-n", kserve.NAMESPACE, *chosen)
    root = authority("modelyard-kserve")
    webhook = server(root, "kserve-webhook", kserve.WEBHOOK_HOSTS)
    return kserve.adapted(yaml.safe_load_all(rendered), root, webhook, published)


def wait_kserve(kubernetes: Kubernetes, task: Task, seconds: float = START_SECONDS) -> None:
    """Return once KServe's webhooks answer, which is a moment after its pod is ready."""
    kubernetes.wait_available(task, kserve.MANAGER, kserve.NAMESPACE, seconds)

    def answers() -> bool:
        try:
            kubernetes.kubectl(task, "create", "--dry-run=server", "-f", "-", text=json.dumps(_PROBE_RUNTIME))
        except CommandFailed:
            return False
        return True

    task.until("KServe's webhook", answers, 60)


def wait_envoy_gateway(kubernetes: Kubernetes, task: Task, seconds: float = START_SECONDS) -> None:
    """Return once Envoy Gateway is available."""
    kubernetes.wait_available(task, "envoy-gateway", ENVOY_GATEWAY_NAMESPACE, seconds)


def secret(kubernetes: Kubernetes, task: Task, name: str, namespace: str) -> dict[str, str]:
    """The decoded values of a Secret; its content never reaches a log."""
    quiet = Task(task.log.with_name(f".{name}.log"), task.stop)
    try:
        text = kubernetes.kubectl(quiet, "get", "secret", name, "-n", namespace, "-o", "json")
    finally:
        quiet.log.unlink(missing_ok=True)
    return {key: base64.b64decode(value).decode() for key, value in json.loads(text)["data"].items()}
