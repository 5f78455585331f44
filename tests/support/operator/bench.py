"""A bench for the operator: a real API server and store, everybody else played, and words for tests.

Every bench has a platform namespace and a namespace for Models of its own. The operator gets no more rights
than its table of permissions says, so whatever a test drives it to is also a test of that table.
"""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import yaml
from kubernetes import client
from kubernetes.utils import create_from_dict

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.store import S3Store
from modelyard.core.kinds import BY_NAME
from modelyard.core.snapshot import Object, Ref
from modelyard.errors import OutsideError
from modelyard.operator.process import Library, Operator
from modelyard.operator.rbac import RIGHTS
from modelyard.registry.bucket import BucketRegistry
from modelyard.registry.synced import SyncedRegistry
from modelyard.settings import GatewaySettings, OperatorSettings, ServingSettings, Settings, StoreSettings
from tests.support.artifacts.entries import an_entry
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.operator.simulated_controllers import GatewaySocket, Players

T = TypeVar("T")
ACCOUNT = "modelyard-operator"
_OPEN: set[str] = set()
"""Namespaces of the benches that stand: a test may have several."""


def eventually(answer: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """The first answer that is not None, False or empty; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = answer()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class Bench:
    """One test's world."""

    api: RealApiServer
    folder: Path
    settings: Settings
    cluster: Cluster
    store: S3Store
    players: Players
    socket: GatewaySocket
    kubeconfig: Path
    namespace: str
    operators: list[Operator] = field(default_factory=list)

    def push(self, name: str, version: str) -> str:
        """An entry in the registry; its digest."""
        folder = self.folder / f"{name}-{version}"
        folder.mkdir(exist_ok=True)
        an_entry(folder, name=name, version=version)
        return BucketRegistry(self.store).push(folder).entry.digest

    def alias(self, name: str, alias: str, version: str) -> None:
        """Points an alias at a version."""
        BucketRegistry(self.store).set_alias(name, alias, version)

    def ask(self, name: str, **spec: Any) -> None:
        """Somebody applies a Model; without a word about its rollout, traffic moves at once."""
        self.ask_for([name], **spec)

    def ask_for(self, names: Sequence[str], **spec: Any) -> None:
        """Somebody applies several Models with one command."""
        models = [
            {
                "apiVersion": "modelyard.dev/v1alpha1",
                "kind": "Model",
                "metadata": {"name": name, "namespace": self.namespace},
                "spec": {"rollout": {"strategy": "Immediate"}, **spec},
            }
            for name in names
        ]
        done = self.api.run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump_all(models))
        assert done.returncode == 0, done.stderr

    def delete(self, kind: str, name: str) -> None:
        """Somebody deletes an object."""
        self.cluster.delete(Ref(kind, self.namespace, name))

    def edit(self, kind: str, name: str, change: Object) -> None:
        """Somebody edits an object with kubectl."""
        plural = f"{kind.lower()}s"
        words = ("patch", plural, name, "-n", self.namespace, "--type=merge", "-p", json.dumps(change))
        done = self.api.run("kubectl", *words)
        assert done.returncode == 0, done.stderr

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object of the Models' namespace."""
        return self.cluster.get(Ref(kind, self.namespace, name))

    def names(self, kind: str) -> list[str]:
        """Names of all objects of a kind in the Models' namespace."""
        return sorted(item["metadata"]["name"] for item in self.cluster.items(kind, self.namespace))

    def items_of(self, kind: str) -> list[dict[str, Any]]:
        """Our objects of a kind in the Models' namespace."""
        return self.players.items(kind, self.namespace)

    def states(self, thing: dict[str, Any], seconds: int = 120) -> Iterator[dict[str, Any]]:
        """Every later state of an object, also those that nobody looked at in time, as they come for `seconds`."""
        row, metadata = BY_NAME[thing["kind"]], thing["metadata"]
        with self.cluster.watch(row, self.namespace, "", metadata["resourceVersion"], seconds) as events:
            yield from (seen for _, seen in events if seen["metadata"].get("name") == metadata["name"])

    def status(self, name: str) -> dict[str, Any]:
        """The status of a Model."""
        return (self.get("Model", name) or {}).get("status", {})

    def condition(self, name: str, kind: str) -> dict[str, Any]:
        """A condition of a Model that was said of its newest spec; empty when there is none."""
        model = self.get("Model", name) or {"metadata": {"generation": 0}}
        conditions = [each for each in model.get("status", {}).get("conditions", []) if each["type"] == kind]
        current = [each for each in conditions if each["observedGeneration"] == model["metadata"]["generation"]]
        return current[0] if current else {}

    def until(self, name: str, kind: str, status: str, reason: str = "", seconds: float = 60) -> dict[str, Any]:
        """The condition, once it is so for the newest spec."""

        def reached() -> dict[str, Any] | None:
            condition = self.condition(name, kind)
            good = condition and condition["status"] == status and reason in ("", condition["reason"])
            return condition if good else None

        try:
            return eventually(reached, f"{name} is {kind}={status} {reason}", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}; it says {yaml.safe_dump(self.status(name))}") from late

    @contextlib.contextmanager
    def operating(self, identity: str = "one", **options: Any) -> Iterator[Operator]:
        """An operator at work in this process, with no more rights than the table gives."""
        changed = self.settings.operator.model_copy(update={"identity": identity, **options})
        settings = self.settings.model_copy(update={"operator": changed})
        library = Library(BucketRegistry(self.store), S3Store(settings.store), SyncedRegistry(self.store))
        operator = Operator(settings, access(self.kubeconfig), library)
        stop = threading.Event()
        thread = threading.Thread(target=operator.run, args=(stop,), name=f"operator {identity}")
        thread.start()
        try:
            yield operator
        finally:
            stop.set()
            thread.join(60)
            assert not thread.is_alive()


def served(cluster: Cluster) -> bool:
    """A kind that was just defined answers 429 until its storage is there."""
    try:
        return all(cluster.items(kind) is not None for kind, row in BY_NAME.items() if not row.optional)
    except OutsideError:
        return False


def grant(api: RealApiServer, platform: str) -> None:
    """The ServiceAccount with exactly the rights of the table."""
    name = f"{ACCOUNT}-{platform}"
    account = [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": platform}]
    group = "rbac.authorization.k8s.io"
    things: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": platform}}
    ]
    for scope, role, extra in (("cluster", "ClusterRole", {}), ("platform", "Role", {"namespace": platform})):
        rules = [
            {"apiGroups": [right.group], "resources": [right.resource], "verbs": list(right.verbs)}
            for right in RIGHTS
            if right.scope == scope
        ]
        metadata = {"name": name, **extra}
        ref = {"apiGroup": group, "kind": role, "name": name}
        things.append({"apiVersion": f"{group}/v1", "kind": role, "metadata": metadata, "rules": rules})
        things.append(
            {
                "apiVersion": f"{group}/v1",
                "kind": f"{role}Binding",
                "metadata": metadata,
                "roleRef": ref,
                "subjects": account,
            }
        )
    for thing in things:
        create_from_dict(api.client, thing)


def limited_kubeconfig(api: RealApiServer, platform: str, path: Path) -> Path:
    """A kubeconfig of the operator's ServiceAccount."""
    lasting = {"spec": {"audiences": [], "expirationSeconds": 2 * 3600}}
    asked: Any = client.CoreV1Api(api.client).create_namespaced_service_account_token(ACCOUNT, platform, lasting)
    config = yaml.safe_load(api.kubeconfig.read_text())
    folder = api.kubeconfig.parent
    for entry in config["clusters"]:
        authority = entry["cluster"].get("certificate-authority")
        if authority and not Path(authority).is_absolute():
            entry["cluster"]["certificate-authority"] = str(folder / authority)
    for entry in config["users"]:
        entry["user"] = {"token": asked.status.token}
    path.write_text(yaml.safe_dump(config))
    path.chmod(0o600)
    return path


@contextlib.contextmanager
def a_bench(api: RealApiServer, store: StoreSettings, folder: Path) -> Iterator[Bench]:
    """A bench, alone with its Models, which are gone afterwards."""
    mark = uuid4().hex[:8]
    platform, namespace = f"platform-{mark}", f"models-{mark}"
    for name in (platform, namespace):
        api.namespace(name)
    cluster = Cluster(access(api.kubeconfig))
    for left in cluster.items("Model"):  # an operator takes up the Models of every namespace
        if left["metadata"]["namespace"] not in _OPEN:
            cluster.delete(Ref("Model", left["metadata"]["namespace"], left["metadata"]["name"]))
    _OPEN.add(namespace)
    eventually(lambda: served(cluster), "the API server keeps every kind we need")
    grant(api, platform)
    socket = GatewaySocket(cluster)
    with socket.answering() as url:
        settings = Settings.model_construct(
            store=store,
            gateway=GatewaySettings(namespace=platform, url=url),
            serving=ServingSettings(drain_seconds=0.3, settle_seconds=0.1),
            operator=OperatorSettings(namespace=platform, metrics_port=0, lease_seconds=6, alias_seconds=0.5),
        )
        players = Players(cluster, S3Store(store), platform, settings.gateway)
        kubeconfig = limited_kubeconfig(api, platform, folder / "operator.kubeconfig")
        bench = Bench(api, folder, settings, cluster, S3Store(store), players, socket, kubeconfig, namespace)
        try:
            yield bench
        finally:
            _OPEN.remove(namespace)
            for name in bench.names("Model"):
                bench.delete("Model", name)
            players.step()
