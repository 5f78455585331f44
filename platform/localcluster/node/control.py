"""Steps that start the node and the control plane; a healthy part is left alone, a sick one started again."""

import threading
from pathlib import Path

from localcluster.identity import identities
from localcluster.image_builds import archives
from localcluster.image_builds.catalogue import Image
from localcluster.image_builds.steps import Making
from localcluster.install.kubernetes import Kubernetes
from localcluster.paths import Paths
from localcluster.programs import binaries
from localcluster.steps.graph import Step, Work
from localcluster.steps.task import Task

from . import components, host, process
from .components import Component

_CONTAINERD = Path("/usr/bin/containerd")


class Control:
    """The node's and control plane's steps; they need the programs and images of `making`."""

    def __init__(self, paths: Paths, making: Making, kubernetes: Kubernetes) -> None:
        self.paths = paths
        self.making = making
        self.kubernetes = kubernetes
        self._importing = threading.Lock()

    def steps(self) -> list[Step]:
        """From namespaces to a node that is Ready."""
        parts = {component.name: self._component(component) for component in parts_of(self.paths)}
        return [
            Step("node", "Namespaces and link", self._node, ("packages", "build-kubernetes")),
            Step("identities", "Certificates and kubeconfig", self._identities, ("node",)),
            Step("containerd", "containerd", self._containerd, ("node",)),
            Step("etcd", "etcd", parts["etcd"], ("node",)),
            Step("api-server", "API server", parts["kube-apiserver"], ("etcd", "identities")),
            Step("controllers", "Controllers", parts["kube-controller-manager"], ("api-server",)),
            Step("scheduler", "Scheduler", parts["kube-scheduler"], ("api-server",)),
            Step("kubelet", "Kubelet", parts["kubelet"], ("api-server", "containerd", "import-pause")),
            Step("proxy", "Service proxy", parts["kube-proxy"], ("api-server", "kubelet")),  # waits 30 s for its node
            Step("ready", "Node ready", self._ready, ("kubelet", "proxy", "controllers", "scheduler")),
            *(self.import_step(image, "containerd", *_before(image)) for image in self.making.images),
        ]

    def import_step(self, image: Image, *more: str) -> Step:
        """The step that gives an image to the node."""
        needs = (f"image-{image.name}", *more)
        return Step(f"import-{image.name}", f"Import: {image.name}", self._import(image), needs)

    def _import(self, image: Image) -> Work:
        def work(task: Task) -> str:
            with self._importing:
                chosen = {image.reference: self.making.archives[image.reference]}
                return "imported" if archives.import_missing(self._running(), task, chosen) else "present"

        return work

    def _component(self, component: Component) -> Work:
        def work(task: Task) -> str:
            program = binaries.program(self.paths, task, component.name)
            return ensure_component(self.paths, task, self._running(), component, program)

        return work

    def _node(self, task: Task) -> None:
        process.ensure(self.paths, task, binaries.program(self.paths, task, "pause"))

    def _identities(self, _: Task) -> None:
        identities.ensure(self.paths.certificates, self.paths.kubeconfig)

    def _containerd(self, task: Task) -> str:
        running = self._running()
        component = components.containerd(self.paths.state, self.paths.containerd)
        done = ensure_component(self.paths, task, running, component, _CONTAINERD)
        answers = running.inside("ctr", "-a", components.CONTAINERD_SOCKET, "version")
        task.until("containerd", lambda: task.succeeds(*answers), 30, self.paths.logs / "containerd.log")
        if done == "started" and not running.containers():
            archives.remove_stale_containers(running, task)
        return done

    def _ready(self, task: Task) -> None:
        def ready() -> bool:
            field = '.status.conditions[?(@.type=="Ready")].status'
            return self.kubernetes.value(task, "node", components.NODE_NAME, field) == "True"

        task.until("the node", ready, 60, self.paths.logs / "kubelet.log")
        host.restore(self.paths.state / process.HOST_SETTINGS, host.WRITTEN_BY_KUBELET)

    def _running(self) -> process.Node:
        found = process.find(self.paths)
        assert found is not None, "the step `node` comes first"
        return found


def _before(image: Image) -> tuple[str, ...]:
    """The kubelet waits for the image of pauses alone, and imports go one by one: so no other goes before it."""
    return () if image.name == "pause" else ("import-pause",)


def parts_of(paths: Paths) -> list[Component]:
    """Everything but containerd, in the order of starting."""
    certificates, state = paths.certificates, paths.state
    return [
        components.etcd(state / "etcd"),
        components.cluster_api_server(certificates),
        components.controller_manager(certificates, certificates / "controller-manager.kubeconfig"),
        components.scheduler(certificates, certificates / "scheduler.kubeconfig"),
        components.kubelet(state, certificates, certificates / "kubelet.kubeconfig"),
        components.proxy(state, certificates / "kube-proxy.kubeconfig"),
    ]


def ensure_component(paths: Paths, task: Task, running: process.Node, component: Component, program: Path) -> str:
    """Leave a healthy component alone, replace a sick or outdated one, start a missing one; wait for its health."""
    if _well(paths, running, component, program):
        return "running"
    if running.named(component.name):
        task.say("not well, starting it again")
        running.end(task, component.name)
    for file, content in component.files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    log = paths.logs / f"{component.name}.log"
    running.start([program, *component.arguments], log)
    task.until(component.name, lambda: _well(paths, running, component, program), 90, log)
    return "started"


def _well(paths: Paths, running: process.Node, component: Component, program: Path) -> bool:
    """Whether this very program runs and, where it can be asked, answers."""
    lines = running.named(component.name).values()
    if [str(program), *component.arguments] not in list(lines):
        return False
    return not component.health or components.answers(component.health, paths.certificates / "ca.crt")
