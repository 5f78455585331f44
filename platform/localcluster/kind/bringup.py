"""The steps of `up` in a kind cluster, as one graph; what is there is left as it is.

Docker builds images while kind makes the cluster; each of the two does one thing at a time.
"""

from dataclasses import dataclass
from pathlib import Path

from localcluster.image_builds.catalogue import Image
from localcluster.install import prerequisites, release
from localcluster.install.kubernetes import Kubernetes
from localcluster.node.network import GATEWAY_PORT, STORE_PORT
from localcluster.paths import Paths
from localcluster.steps.graph import Step, Work
from localcluster.steps.task import Task
from localcluster.versions import version

from . import cluster, images, programs

VALUES = Path(__file__).with_name("values.yaml")
GATEWAY = f"http://127.0.0.1:{GATEWAY_PORT}"
STORE = f"http://127.0.0.1:{STORE_PORT}"
PULL_SECONDS = 600.0
"""What a Deployment may take whose image the node has to pull."""


@dataclass(frozen=True)
class KindPaths(Paths):
    """The folders in force; what is made for this cluster lies apart from what is made for the other."""

    @property
    def state(self) -> Path:
        return self.home / "kind"


def steps(paths: Paths) -> list[Step]:
    """From the user's two programs to the configuration that commands find."""
    own = KindPaths(paths.home, paths.cache)
    kubernetes, digests = Kubernetes(own.kubeconfig), dict[str, str]()
    wanted = images.wanted()
    loaded = tuple(f"load-{image.name}" for image in wanted)
    return [
        Step("programs", "Docker and kind", programs.require),
        Step("cluster", "kind cluster", lambda task: cluster.ensure(task, own.kubeconfig), ("programs",), "cluster"),
        *(_build(image, wanted, digests) for image in wanted),
        *_prerequisites(own, kubernetes),
        *(_load(image) for image in wanted),
        *_release(own, kubernetes, digests, ("kserve-ready", "envoy-gateway-ready", *loaded)),
    ]


def image_steps(paths: Paths) -> list[Step]:
    """Build what changed, load it, and restart what uses it."""
    needed = {"programs", "cluster", "platform", "configuration"}
    names = {f"{verb}-{image.name}" for image in images.wanted() for verb in ("image", "load")} | needed
    chosen = [step for step in steps(paths) if step.name in names]
    return [Step(s.name, s.title, s.work, tuple(n for n in s.needs if n in names), s.lane) for s in chosen]


def _build(image: Image, wanted: list[Image], digests: dict[str, str]) -> Step:
    def work(task: Task) -> None:
        digests[image.reference] = images.build(task, image)

    bases = tuple(f"image-{other.name}" for other in wanted if other.reference in image.bases)
    return Step(f"image-{image.name}", f"Image: {image.name}", work, ("programs", *bases), "docker")


def _load(image: Image) -> Step:
    needs = (f"image-{image.name}", "cluster")
    return Step(f"load-{image.name}", f"Load: {image.name}", lambda task: images.load(task, image), needs, "load")


def _prerequisites(paths: Paths, kubernetes: Kubernetes) -> list[Step]:
    """Those of every cluster, with published images, one after the other."""
    gateway = f"docker.io/envoyproxy/gateway:v{version('envoy-gateway')}"
    works: dict[str, tuple[str, Work]] = {
        "gateway-crds": (
            "Gateway API definitions",
            lambda task: prerequisites.gateway_definitions(kubernetes, task, paths),
        ),
        "kserve-crds": ("KServe definitions", lambda task: prerequisites.kserve_definitions(kubernetes, task, paths)),
        "kserve": ("KServe", lambda task: prerequisites.kserve_manager(kubernetes, task, paths, published=True)),
        "envoy-gateway": ("Envoy Gateway", lambda task: prerequisites.envoy_gateway(kubernetes, task, paths, gateway)),
        "kserve-ready": ("KServe answers", lambda task: prerequisites.wait_kserve(kubernetes, task, PULL_SECONDS)),
        "envoy-gateway-ready": (
            "Envoy Gateway answers",
            lambda task: prerequisites.wait_envoy_gateway(kubernetes, task, PULL_SECONDS),
        ),
    }
    before = ("cluster", *works)
    return [Step(n, title, work, (before[i],), "cluster") for i, (n, (title, work)) in enumerate(works.items())]


def _release(paths: Paths, kubernetes: Kubernetes, digests: dict[str, str], needs: tuple[str, ...]) -> list[Step]:
    def install(task: Task) -> None:
        release.install(kubernetes, task, digests, VALUES, "10m")

    def configure(task: Task) -> None:
        release.configure(kubernetes, task, paths.config, GATEWAY, STORE)

    return [
        Step("platform", "Modelyard", install, needs),
        Step("configuration", "Configuration", configure, ("platform",)),
    ]
