"""Only etcd and kube-apiserver, on loopback ports, for tests against a real API server.

    with apiserver.running(folder) as server:
        kubernetes.config.load_kube_config(str(server.kubeconfig))

Needs no root and no namespaces; several can run at once. Both programs end with the thread that started them, even
when that is killed (`setpriv --pdeathsig`). There are no nodes and, unless asked for, no controllers: nothing
schedules, nothing is garbage-collected, no webhook is called.

Taking in the definitions of KServe and Envoy Gateway costs an API server 20 s of computing. So they are taken in once,
and etcd's data is kept in the cache, under a digest of the definitions and the versions: every server starts from a
copy of it.
"""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .cache import digest_of, digest_of_files, kept, remove
from .errors import NotReady
from .identity import identities
from .install import prerequisites
from .install.kubernetes import Kubernetes
from .node import components
from .programs import binaries
from .steps.task import Task
from .versions import version

_ADMINISTRATOR = {"administrator": ("modelyard-administrator", identities.ADMINISTRATORS)}
_CONTROLLERS = {"controller-manager": ("modelyard-controllers", identities.ADMINISTRATORS)}
CRD_SETS = ("gateway", "kserve")


@dataclass(frozen=True)
class Server:
    """A running API server."""

    address: str
    kubeconfig: Path
    folder: Path


@contextlib.contextmanager
def running(
    folder: Path,
    crds: Sequence[str] = (),
    manifests: Sequence[Path] = (),
    controllers: Sequence[str] = (),
) -> Iterator[Server]:
    """An API server that lives as long as the context; its data, keys and logs are in `folder`.

    `crds` may name "gateway" (Gateway API and Envoy Gateway) and "kserve"; `manifests` are more files to apply
    before it is handed over; `controllers` are controllers of kube-controller-manager to run, such as
    "garbage-collector-controller" and "namespace-controller".
    """
    folder = folder.resolve()
    task, where = Task(folder / "logs" / "start.log"), paths.default()
    remove(folder / "etcd")
    if files := _definitions(where, task, crds):
        shutil.copytree(_kept_definitions(where, files), folder / "etcd")
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_bare(where, task, folder))
        if controllers:
            chosen = _controller_arguments(server.kubeconfig.parent, controllers)
            stack.enter_context(_program(where, task, folder, "kube-controller-manager", chosen))
        kubernetes = Kubernetes(server.kubeconfig)
        if files:
            task.until("the kinds it was given", lambda: kubernetes.serves_what_is_defined(task))
        if manifests:
            kubernetes.define(task, manifests)
        yield server


@contextlib.contextmanager
def _bare(where: paths.Paths, task: Task, folder: Path) -> Iterator[Server]:
    """etcd with what is in `folder`/etcd, and an API server that answers."""
    port, client_port, peer_port = _free_ports(3)
    address = f"https://127.0.0.1:{port}"
    certificates = folder / "certificates"
    remove(certificates)
    identities.ensure_basic(certificates, address, ["127.0.0.1", "localhost"], {**_ADMINISTRATOR, **_CONTROLLERS})
    etcd = f"http://127.0.0.1:{client_port}"
    arguments = components.api_server(certificates, "127.0.0.1", port, etcd, "10.0.0.0/16")
    arguments += ["--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none"]
    server = Server(address, certificates / "administrator.kubeconfig", folder)
    etcd_arguments = components.etcd(folder / "etcd", etcd, f"http://127.0.0.1:{peer_port}").arguments
    with (
        _program(where, task, folder, "etcd", etcd_arguments),
        _program(where, task, folder, "kube-apiserver", arguments) as started,
    ):
        _wait(task, server, started)
        yield server


def _definitions(where: paths.Paths, task: Task, crds: Sequence[str]) -> list[Path]:
    sets = {"gateway": prerequisites.gateway_crds, "kserve": prerequisites.kserve_crds}
    return [file for name in crds for file in sets[name](where, task)]


def _kept_definitions(where: paths.Paths, files: Sequence[Path]) -> Path:
    """etcd's data with these definitions in it, from the cache."""
    digests = [digest_of_files(file if file.is_dir() else file.parent, [file]) for file in files]
    result = where.cache / "definitions" / digest_of(version("etcd"), version("kubernetes"), *digests)

    def make(unfinished: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="modelyard-definitions-") as scratch:
            folder = Path(scratch)
            task = Task(folder / "logs" / "start.log")
            with _bare(where, task, folder) as server:
                Kubernetes(server.kubeconfig).define(task, files)
            shutil.copytree(folder / "etcd", unfinished)

    kept(result, make)
    return result


def _wait(task: Task, server: Server, started: "subprocess.Popen[bytes]") -> None:
    log = server.folder / "logs" / "kube-apiserver.log"
    authority = server.kubeconfig.with_name("ca.crt")

    def well() -> bool:
        if started.poll() is not None:
            raise NotReady(f"kube-apiserver ended with exit code {started.returncode}.", log)
        return components.answers(f"{server.address}/readyz", authority)

    task.until("kube-apiserver", well, 90, log)


def _controller_arguments(certificates: Path, controllers: Sequence[str]) -> list[str]:
    return [
        f"--kubeconfig={certificates / 'controller-manager.kubeconfig'}",
        f"--controllers={','.join(controllers)}",
        "--bind-address=127.0.0.1",
        "--secure-port=0",
        "--leader-elect=false",
    ]


@contextlib.contextmanager
def _program(
    where: paths.Paths, task: Task, folder: Path, name: str, arguments: list[str]
) -> "Iterator[subprocess.Popen[bytes]]":
    program = binaries.program(where, task, name)
    with (folder / "logs" / f"{name}.log").open("ab") as log:
        started = subprocess.Popen(
            ["setpriv", "--pdeathsig", "SIGKILL", str(program), *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(5)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on, all different because all are held until the last is found."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def serve(folder: Path, crds: Sequence[str]) -> None:
    """Run an API server until interrupted, telling where its kubeconfig is."""
    with running(folder, crds) as server:
        print(f"KUBECONFIG={server.kubeconfig}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
