"""`modelyard doctor`: is everything there that Modelyard needs, and if not, what is to be done?

Exit code 0 when nothing is wrong, 1 otherwise. Without a cluster only this machine and the store are checked.
"""

import shutil
from collections.abc import Callable, Iterator

import typer
from rich.markup import escape

from modelyard.cli.terminal.console import Output, dump, out
from modelyard.cli.terminal.options import Shown
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import CONFIG_MAP, GATEWAY, Cluster
from modelyard.clients.cluster.gateway_address import reached
from modelyard.clients.inference.predictions import silence
from modelyard.clients.store import S3Store
from modelyard.core.kinds import BY_NAME, MODEL, Kind
from modelyard.core.snapshot import Ref
from modelyard.errors import ModelyardError
from modelyard.installation import cache_folder
from modelyard.settings import Settings, config_file

from . import doctor_checks
from .doctor_checks import Grade, Preflight

_ROUTES = [GATEWAY, BY_NAME["HTTPRoute"], BY_NAME["GRPCRoute"]]
_ENVOY_PROXY = Kind("EnvoyProxy", "gateway.envoyproxy.io", "v1alpha1", "envoyproxies", "", False)
_OWN_STORE = "Store, as you"
_OPERATOR_PODS = "app.kubernetes.io/name=modelyard,app.kubernetes.io/component=operator"
_MARKS = {Grade.GOOD: "[green]✓[/]", Grade.NOTE: "[yellow]![/]", Grade.WRONG: "[red]✗[/]"}


def doctor(output: Shown = Output.TABLE) -> None:
    """Check what Modelyard needs, each with a remedy."""
    console = out()
    checks: list[Preflight] = []
    for check in examine(Settings.read()):
        checks.append(check)
        if output is Output.TABLE:
            remedy = f"\n    [bold]Do[/]: {escape(check.remedy)}" if check.remedy else ""
            console.print(
                f"{_MARKS[check.grade]} [bold]{check.subject}[/]: {escape(check.found)}{remedy}",
                highlight=False,
                soft_wrap=True,
            )
    if output is not Output.TABLE:
        dump([check._asdict() | {"grade": check.grade.value} for check in checks], output)
    if any(check.grade is Grade.WRONG for check in checks):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Preflight]:
    """All checks, one after the other, so that a slow one does not hide the others.

    What goes wrong while a check reads is a check that came out WRONG; those in the cluster need its API server.
    """
    yield from _machine()
    yield _store(settings)
    try:
        cluster = Cluster(access())
        missing = cluster.unserved([MODEL])
    except ModelyardError as bad:
        yield Preflight("Cluster", Grade.WRONG, str(bad), "start one with `make cluster`, or set KUBECONFIG")
        return
    yield Preflight("Cluster", Grade.GOOD, f"{cluster.configuration.host} answers")
    yield doctor_checks.definitions("Modelyard's own kinds", missing, doctor_checks.INSTALL)
    for subject, check in _cluster_checks(cluster, settings).items():
        try:
            yield check()
        except ModelyardError as bad:
            yield Preflight(
                subject, Grade.WRONG, str(bad), "ask for the right to read this, or for the cluster to be mended"
            )


def _machine() -> Iterator[Preflight]:
    cache = cache_folder()
    there = next(path for path in (cache, *cache.parents) if path.exists())
    yield doctor_checks.disk(shutil.disk_usage(there).free, str(there))
    yield doctor_checks.triton(sorted(str(path) for path in cache.glob("triton/*") if path.is_dir()))
    kubectl = shutil.which("kubectl")
    if kubectl:
        yield Preflight("kubectl", Grade.GOOD, kubectl)
    else:
        yield Preflight("kubectl", Grade.NOTE, "not on PATH", "the virtual environment has one: . .venv/bin/activate")


def _store(settings: Settings) -> Preflight:
    try:
        store = S3Store(settings.store)
        next(iter(store.list("registry/")), None)
    except ModelyardError as bad:
        where = config_file() or "the environment (MODELYARD_STORE_*)"
        return Preflight(_OWN_STORE, Grade.WRONG, str(bad), f"endpoint and credentials are read from {where}")
    return Preflight(_OWN_STORE, Grade.GOOD, f"{store.place} answers your credentials")


def _cluster_checks(cluster: Cluster, settings: Settings) -> dict[str, Callable[[], Preflight]]:
    gate, home = settings.gateway, settings.operator.namespace

    def definitions() -> Preflight:
        missing = cluster.unserved([*_ROUTES, _ENVOY_PROXY])
        return doctor_checks.definitions(
            "Gateway API", missing, "install Envoy Gateway (its chart gateway-helm brings both)"
        )

    def kserve() -> Preflight:
        served = cluster.unserved([BY_NAME["InferenceService"]])
        if served:
            return doctor_checks.definitions("KServe", served, "install KServe 0.17 or newer (its chart kserve-crd)")
        manager = cluster.get(Ref("Deployment", "kserve", "kserve-controller-manager"))
        return doctor_checks.kserve(manager, cluster.get(Ref(CONFIG_MAP.kind, "kserve", "inferenceservice-config")))

    def gateway() -> Preflight:
        return doctor_checks.gateway(
            cluster.get(Ref(GATEWAY.kind, gate.namespace, gate.name)), gate.namespace, gate.name
        )

    def reachable() -> Preflight:
        with reached(settings, lambda: cluster, silence) as found:
            return doctor_checks.address(found, silence(found.url))

    def operator() -> Preflight:
        deployment = cluster.get(Ref("Deployment", home, "modelyard-operator"))
        lease = cluster.get(Ref("Lease", home, "modelyard-operator"))
        return doctor_checks.operator(deployment, lease, home, cluster.now())

    def told(path: str) -> list[str]:
        """What every replica of the operator answers."""
        names = [pod["metadata"]["name"] for pod in cluster.items("Pod", home, _OPERATOR_PODS)]
        port = settings.operator.metrics_port
        return [cluster.through(Ref("Pod", home, name), port, path).strip() for name in names]

    def operators_store() -> Preflight:
        answers = [line.partition(": ") for line in told("/storez")]
        return doctor_checks.operators_store([(word == "ok", sentence) for word, _, sentence in answers], home)

    def autoscaling() -> Preflight:
        return doctor_checks.autoscaling([line for line in told("/scalingz") if line])

    checks = {"Gateway API": definitions, "KServe": kserve, "Gateway": gateway, "Gateway's address": reachable}
    return {**checks, "Operator": operator, "Store, as the operator": operators_store, "Autoscaling": autoscaling}
