"""Steps that start the nodes and the control plane; a healthy part is left alone, a sick one started again."""

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
from .members import FIRST, Member, members, note

_CONTAINERD = Path("/usr/bin/containerd")


class Control:
    """The steps of the control plane and of so many nodes; they need the programs and images of `making`."""

    def __init__(self, paths: Paths, making: Making, kubernetes: Kubernetes, nodes: int = 1) -> None:
        self.paths = paths
        self.nodes = nodes
        self.making = making
        self.kubernetes = kubernetes
        self._importing = threading.Lock()

    def steps(self) -> list[Step]:
        """From namespaces to nodes that are Ready."""
        parts = {component.name: self._component(component, FIRST) for component in control_plane(self.paths)}
        nodes = members(self.nodes)
        running = tuple(f"{part}{member.suffix}" for member in nodes for part in ("kubelet", "proxy"))
        return [
            Step("identities", "Certificates and kubeconfig", self._identities, ("node",)),
            Step("etcd", "etcd", parts["etcd"], ("node",)),
            Step("api-server", "API server", parts["kube-apiserver"], ("etcd", "identities")),
            Step("controllers", "Controllers", parts["kube-controller-manager"], ("api-server",)),
            Step("scheduler", "Scheduler", parts["kube-scheduler"], ("api-server",)),
            *(step for member in nodes for step in self._node_steps(member)),
            Step("ready", "Nodes ready", self._ready, ("controllers", "scheduler", *running)),
            *(self.import_step(image, *self._containerds(), *_before(image)) for image in self.making.images),
        ]

    def _node_steps(self, member: Member) -> list[Step]:
        """Those of one node: its namespaces and what runs in every node."""
        kubelet, proxy = (self._component(part, member) for part in node_parts(self.paths, member, self.nodes))
        at, of = member.suffix, f" of {member.name}" if member.suffix else ""
        first = ("node",) if member.suffix else ("packages", "build-kubernetes")
        return [
            Step(f"node{at}", f"Namespaces and link{of}", self._node(member), first),
            Step(f"containerd{at}", f"containerd{of}", self._containerd(member), (f"node{at}",)),
            Step(f"kubelet{at}", f"Kubelet{of}", kubelet, ("api-server", f"containerd{at}", "import-pause")),
            # the proxy waits 30 s for its node
            Step(f"proxy{at}", f"Service proxy{of}", proxy, ("api-server", f"kubelet{at}")),
        ]

    def _containerds(self) -> tuple[str, ...]:
        return tuple(f"containerd{member.suffix}" for member in members(self.nodes))

    def import_step(self, image: Image, *more: str) -> Step:
        """The step that gives an image to every node."""
        needs = (f"image-{image.name}", *more)
        return Step(f"import-{image.name}", f"Import: {image.name}", self._import(image), needs)

    def _import(self, image: Image) -> Work:
        def work(task: Task) -> str:
            with self._importing:
                chosen = {image.reference: self.making.archives[image.reference]}
                nodes = [self._running(member) for member in members(self.nodes)]
                imported = [archives.import_missing(node, task, chosen) for node in nodes]
                return "imported" if any(imported) else "present"

        return work

    def _component(self, component: Component, member: Member) -> Work:
        def work(task: Task) -> str:
            program = binaries.program(self.paths, task, component.name)
            return ensure_component(self.paths, task, self._running(member), component, program)

        return work

    def _node(self, member: Member) -> Work:
        def work(task: Task) -> None:
            pause = binaries.program(self.paths, task, "pause")
            if member == FIRST:
                process.ensure(self.paths, task, pause)
                note(self.paths.state, self.nodes)
            else:
                process.ensure_further(self.paths, task, pause, member)

        return work

    def _identities(self, _: Task) -> None:
        identities.ensure(self.paths.certificates, self.paths.kubeconfig, self.nodes)

    def _containerd(self, member: Member) -> Work:
        def work(task: Task) -> str:
            running = self._running(member)
            component = containerd_of(self.paths, member)
            done = ensure_component(self.paths, task, running, component, _CONTAINERD)
            answers = running.inside("ctr", "-a", components.CONTAINERD_SOCKET, "version")
            log = log_of(self.paths, component, member)
            task.until("containerd", lambda: task.succeeds(*answers), 30, log)
            if done == "started" and not running.containers():
                archives.remove_stale_containers(running, task)
            return done

        return work

    def _ready(self, task: Task) -> None:
        nodes = members(self.nodes)
        log = self.paths.logs / f"kubelet{nodes[-1].suffix}.log"

        def ready() -> bool:
            field = '.status.conditions[?(@.type=="Ready")].status'
            return all(self.kubernetes.value(task, "node", each.name, field) == "True" for each in nodes)

        task.until("the nodes" if len(nodes) > 1 else "the node", ready, 60, log)
        host.restore(self.paths.state / process.HOST_SETTINGS, host.WRITTEN_BY_KUBELET)

    def _running(self, member: Member) -> process.Node:
        found = process.find(self.paths, member)
        assert found is not None, "the step `node` comes first"
        return found


def _before(image: Image) -> tuple[str, ...]:
    """The kubelet waits for the image of pauses alone, and imports go one by one: so no other goes before it."""
    return () if image.name == "pause" else ("import-pause",)


def control_plane(paths: Paths) -> list[Component]:
    """What runs in the first node alone, in the order of starting."""
    certificates = paths.certificates
    return [
        components.etcd(paths.state / "etcd"),
        components.cluster_api_server(certificates),
        components.controller_manager(certificates, certificates / "controller-manager.kubeconfig"),
        components.scheduler(certificates, certificates / "scheduler.kubeconfig"),
    ]


def node_parts(paths: Paths, member: Member, nodes: int) -> list[Component]:
    """What runs in each of so many nodes beside containerd, in the order of starting."""
    certificates, state = paths.certificates, member.state(paths)
    return [
        components.kubelet(state, certificates, member, nodes),
        components.proxy(state, certificates / "kube-proxy.kubeconfig", member),
    ]


def containerd_of(paths: Paths, member: Member) -> Component:
    """A node's containerd."""
    return components.containerd(member.state(paths), member.images(paths), member)


def log_of(paths: Paths, component: Component, member: Member) -> Path:
    """Where a node's component writes."""
    return paths.logs / f"{component.name}{member.suffix}.log"


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
    log = log_of(paths, component, running.member)
    running.start([program, *component.arguments], log)
    task.until(component.name, lambda: _well(paths, running, component, program), 90, log)
    return "started"


def _well(paths: Paths, running: process.Node, component: Component, program: Path) -> bool:
    """Whether this very program runs and, where it can be asked, answers."""
    lines = running.named(component.name).values()
    if [str(program), *component.arguments] not in list(lines):
        return False
    return not component.health or components.answers(component.health, paths.certificates / "ca.crt")
