"""`modelyard slo` as a person types it: a real API server has the Models, a real Prometheus what came of promises."""

import json
import socket
from typing import Any

import pytest
import yaml

from tests.integration.monitoring.conftest import Alerting
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.monitoring.exposition import MODELS, NAMESPACE
from tests.support.monitoring.live import LivePrometheus
from tests.support.operator.real_apiserver import RealApiServer
from tests.support.servers.store import free_ports

pytestmark = pytest.mark.integration

BURNS = "count(model:modelyard_slo_burn:rate3d) == 5"
"""All promises of all Models are counted: three of digits, one of each other."""


def applied(apiserver: RealApiServer, *things: dict[str, Any]) -> None:
    done = apiserver.run("kubectl", "apply", "--server-side", "-f", "-", stdin=yaml.safe_dump_all(things))
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def models(apiserver: RealApiServer) -> RealApiServer:
    """The API server, with the Models that are scraped and one that promised nothing."""
    apiserver.namespace(NAMESPACE)
    promises: dict[str, Any] = {name: slo for name, (_, _, slo) in MODELS.items()}
    for name, slo in {
        **promises,
        "silent": None,
        "instant": {"latency": {"percentile": 99, "threshold": "0.5ms"}},
    }.items():
        spec = {"source": {"name": "digits", "version": "1"}, **({"slo": slo} if slo else {})}
        head = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model"}
        applied(apiserver, {**head, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
    return apiserver


def slo(apiserver: RealApiServer, name: str, *flags: str, prometheus: str = "", **more: str) -> Ran:
    address = ("--prometheus", prometheus) if prometheus else ()
    kubeconfig = apiserver.kubeconfig
    return modelyard_here(
        "slo", name, "-n", NAMESPACE, *address, *flags, cwd=kubeconfig.parent, KUBECONFIG=str(kubeconfig), **more
    )


def test_a_model_that_breaks_its_promises_is_told_of_with_what_is_left_and_exit_code_1(
    models: RealApiServer, live: LivePrometheus
) -> None:
    live.await_rows(BURNS)
    live.await_rows('ALERTS{alertname="ModelyardBudgetBurnsFast",alertstate="firing",objective="errors"}')

    ran = slo(models, "digits", "-o", "json", prometheus=live.url)

    assert (ran.code, ran.err) == (1, "")
    said = json.loads(ran.out)
    assert (said["model"], said["namespace"], said["window"], said["kept"]) == ("digits", NAMESPACE, "30d", False)
    errors, latency, availability = said["objectives"]
    assert (errors["promised"], errors["allowedRatio"]) == ("1% may fail", 0.01)
    assert errors["badRatio"] == pytest.approx(0.5, abs=0.02)
    assert errors["burn"]["1h"] == pytest.approx(50, abs=2)
    assert errors["budgetLeft"] == pytest.approx(-49, abs=2)
    assert errors["emptyInSeconds"] == 0
    assert "ModelyardBudgetBurnsFast" in errors["alerts"]
    assert (latency["promised"], latency["objective"]) == ("p99 within 100ms", "latency")
    assert latency["badRatio"] == pytest.approx(0.05, abs=0.01)
    assert availability["promised"] == "99.9% of the time"


def test_people_get_a_line_a_promise(models: RealApiServer, live: LivePrometheus) -> None:
    live.await_rows(BURNS)

    ran = slo(models, "digits", prometheus=live.url)

    lines = ran.out.splitlines()
    assert [word for word in ("OBJECTIVE", "PROMISED", "LEFT", "BURN 1H", "EMPTY IN") if word not in lines[0]] == []
    assert [line.split()[0] for line in lines[1:4]] == ["errors", "latency", "availability"]
    assert "is empty" in lines[1]
    assert "of 30d: Prometheus knows no more." in ran.out or "Counted over" not in ran.out


def test_a_model_that_keeps_its_promises_gets_exit_code_0(models: RealApiServer, live: LivePrometheus) -> None:
    live.await_rows(BURNS)

    ran = slo(models, "quiet", "-o", "json", "--window", "6h", prometheus=live.url)

    assert (ran.code, ran.err) == (0, "")
    said = json.loads(ran.out)
    assert said["kept"]
    [errors] = said["objectives"]
    assert (errors["bad"], errors["budgetLeft"], errors["burn"]["5m"], errors["emptyInSeconds"]) == (0, 1, 0, None)
    assert errors["total"] > 0


def test_a_budget_that_burns_a_little_too_fast_has_an_end_in_sight(models: RealApiServer, live: LivePrometheus) -> None:
    live.await_rows(BURNS)

    said = json.loads(slo(models, "iris", "-o", "json", prometheus=live.url).out)

    [errors] = said["objectives"]
    assert errors["burn"]["1h"] == pytest.approx(1.5, abs=0.2)
    assert errors["budgetLeft"] == pytest.approx(-0.5, abs=0.2)


def test_the_platforms_prometheus_is_asked_through_the_api_server(models: RealApiServer, live: LivePrometheus) -> None:
    """A Service of the cluster has no address here; its pods, of which this machine is one, have."""
    live.await_rows(BURNS)
    port = int(live.url.rpartition(":")[2])
    models.namespace("watching")
    meta = {"name": "prometheus", "namespace": "watching"}
    ports = [{"name": "http", "port": 9090, "targetPort": port}]
    target = {"kind": "Pod", "name": "prometheus-0", "namespace": "watching"}
    pods = [{"addresses": [{"ip": own_address(), "targetRef": target}], "ports": [{"name": "http", "port": port}]}]
    pod = {**meta, "name": "prometheus-0"}
    config = yaml.safe_dump({"gateway": {"prometheusUrl": "http://prometheus.watching:9090"}})
    models.namespace("platform-of-slo")
    applied(
        models,
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}},
        {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": pods},
        {"apiVersion": "v1", "kind": "Pod", "metadata": pod, "spec": {"containers": [{"name": "p", "image": "p:1"}]}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "modelyard-operator", "namespace": "platform-of-slo"},
            "data": {"config.yaml": config},
        },
    )

    has = json.dumps({"status": {"podIP": own_address(), "podIPs": [{"ip": own_address()}]}})
    patched = ("patch", "pod", "prometheus-0", "-n", "watching", "--subresource=status", "--type=merge", "-p", has)
    done = models.run("kubectl", *patched)
    assert done.returncode == 0, done.stderr

    ran = slo(models, "quiet", MODELYARD_OPERATOR_NAMESPACE="platform-of-slo")

    assert (ran.code, ran.err) == (0, "")
    assert "errors" in ran.out


def own_address() -> str:
    """This machine's address, as others would reach it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return probe.getsockname()[0]


@pytest.mark.parametrize(
    ("model", "flags", "sentence"),
    [
        ("silent", (), "silent promised nothing: write spec.slo, such as {errorRate: 0.1%}."),
        ("nobody", (), "there is no Model nobody in namespace monitored"),
        ("digits", ("--window", "a month"), "--window a month is no span: write hours, days or weeks"),
        ("digits", ("--window", "0d"), "--window 0d is no span"),
        ("digits", ("--prometheus", "localhost:9090"), "is no address: write one such as http://localhost:9090."),
        ("instant", (), "that Prometheus knows nothing of the promises of this Model: give it the rules"),
        ("digits", ("--namespace-of-platform",), "No such option"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_sentence(
    models: RealApiServer, live: LivePrometheus, model: str, flags: tuple[str, ...], sentence: str
) -> None:
    address = "" if "--prometheus" in flags else live.url

    ran = slo(models, model, *flags, prometheus=address)

    assert ran.code == 2
    assert sentence in " ".join(ran.err.replace("│", " ").split())
    assert ran.out == ""


def test_a_prometheus_that_is_away_is_told_of(models: RealApiServer) -> None:
    [port] = free_ports(1)

    ran = slo(models, "digits", prometheus=f"http://127.0.0.1:{port}")

    assert ran.code == 1
    assert f"the Prometheus at http://127.0.0.1:{port} did not answer: ConnectError" in ran.err
    assert "say --prometheus with the address of another." in ran.err


def test_what_is_no_prometheus_is_told_of(models: RealApiServer, alerting: Alerting) -> None:
    ran = slo(models, "digits", prometheus=f"http://{alerting.address}")

    assert ran.code == 1
    assert f"the Prometheus at http://{alerting.address} answered HTTP 404" in ran.err


def test_nobody_says_where_prometheus_is(models: RealApiServer) -> None:
    models.namespace("platform-without")
    empty = {"name": "modelyard-operator", "namespace": "platform-without"}
    applied(models, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": empty, "data": {"config.yaml": "{}"}})

    ran = slo(models, "digits", MODELYARD_OPERATOR_NAMESPACE="platform-without")

    assert ran.code == 2
    assert "nothing says where Prometheus is: say --prometheus URL" in ran.err
