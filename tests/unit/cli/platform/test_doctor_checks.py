"""What `modelyard doctor` makes of what it finds."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from modelyard.cli.platform import doctor_checks
from modelyard.cli.platform.doctor_checks import Grade, kserve
from modelyard.clients.cluster.gateway_address import GatewayAddress
from modelyard.core.kinds import MODEL

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def manager(image="docker.io/kserve/kserve-controller:v0.20.0", ready=1):
    containers = [{"name": "proxy", "image": "proxy:v0.1"}, {"name": "manager", "image": image}]
    return {"spec": {"template": {"spec": {"containers": containers}}}, "status": {"readyReplicas": ready}}


def mode(name):
    return {"data": {"deploy": json.dumps({"defaultDeploymentMode": name})}}


def lease(holder="operator-1", ago=1.0):
    return {
        "spec": {
            "holderIdentity": holder,
            "renewTime": (NOW - timedelta(seconds=ago)).isoformat().replace("+00:00", "Z"),
            "leaseDurationSeconds": 15,
        }
    }


def ready(count):
    return {"status": {"readyReplicas": count}}


def programmed(status, message=""):
    return {"status": {"conditions": [{"type": "Programmed", "status": status, "message": message}]}}


def gate(found):
    return doctor_checks.gateway(found, "modelyard-system", "modelyard")


def run(deployment, held):
    return doctor_checks.operator(deployment, held, "modelyard-system", NOW)


CASES = {
    "KServe in Standard mode": (kserve(manager(), mode("Standard")), Grade.GOOD, "0.20 in Standard mode"),
    "KServe in Standard mode under its old name": (
        kserve(manager("x/kserve-manager:0.17.0"), mode("RawDeployment")), Grade.GOOD, "version 0.17",
    ),
    "KServe with another default": (kserve(manager(), mode("Knative")), Grade.NOTE, "default mode is Knative"),
    "KServe with an unreadable configuration": (kserve(manager(), None), Grade.NOTE, "not said"),
    "KServe of an unnamed version": (kserve(manager("x/kserve:main"), mode("Standard")), Grade.GOOD, "not name"),
    "KServe too old": (kserve(manager("x/kserve:v0.16.1"), mode("Standard")), Grade.WRONG, "0.16 is too old"),
    "KServe not ready": (kserve(manager(ready=0), mode("Standard")), Grade.WRONG, "not ready"),
    "KServe missing": (kserve(None, None), Grade.WRONG, "no Deployment kserve/"),
    "kinds missing": (doctor_checks.definitions("x", [MODEL], "make install"), Grade.WRONG, "does not know Model ("),
    "kinds there": (doctor_checks.definitions("x", [], "make install"), Grade.GOOD, "installed"),
    "Gateway programmed": (gate(programmed("True")), Grade.GOOD, "is programmed"),
    "Gateway refused": (gate(programmed("False", "no addresses")), Grade.WRONG, "no addresses"),
    "Gateway without a controller": (gate({"status": {}}), Grade.WRONG, "no controller"),
    "Gateway missing": (gate(None), Grade.WRONG, "there is no Gateway"),
    "operator leads": (run(ready(2), lease()), Grade.GOOD, "2 ready, operator-1 leads"),
    "operator silent": (run(ready(2), lease(ago=120)), Grade.WRONG, "silent for 120 s"),
    "operator without a leader": (run(ready(2), None), Grade.WRONG, "2 ready, but no replica of the operator leads"),
    "operator gave the lead back": (run(ready(2), lease(holder="")), Grade.WRONG, "2 ready, but no replica of"),
    "operator not ready": (run(ready(0), lease()), Grade.WRONG, "no replica is ready"),
    "operator missing": (run(None, None), Grade.WRONG, "there is no Deployment"),
    "gateway answers": (
        doctor_checks.address(GatewayAddress("http://1.2.3.4", "m", "the gateway's node port"), ""),
        Grade.GOOD, "http://1.2.3.4 answers (the gateway's node port)",
    ),
    "gateway silent": (
        doctor_checks.address(GatewayAddress("http://nowhere", "m", "gateway.url"), "the name nowhere cannot be"),
        Grade.WRONG, "nothing answers at http://nowhere from this machine (gateway.url): the name nowhere cannot be",
    ),
    "the operator's store": (
        doctor_checks.operators_store([(True, "bucket b answers")], "home"), Grade.GOOD, "bucket b answers",
    ),
    "the operator's store of one replica": (
        doctor_checks.operators_store([(True, "bucket b answers"), (False, "may not list")], "home"),
        Grade.WRONG, "may not list",
    ),
    "the operator's store with nobody to ask": (
        doctor_checks.operators_store([], "home"), Grade.WRONG, "no replica of the operator",
    ),
    "an autoscaler": (
        doctor_checks.autoscaling(["ScaledByRequests: KEDA scales by what http://p counts."]),
        Grade.GOOD, "KEDA scales by what http://p counts.",
    ),
    "autoscaling that is off": (
        doctor_checks.autoscaling(["AutoscalingOff: The platform makes no autoscalers."]), Grade.GOOD, "makes no",
    ),
    "no autoscaler": (
        doctor_checks.autoscaling(["NoAutoscaler: Nobody scales here: KEDA is not installed."] * 2),
        Grade.NOTE, "Nobody scales here: KEDA is not installed.",
    ),
    "autoscaling with nobody to ask": (doctor_checks.autoscaling([]), Grade.NOTE, "no replica of the operator"),
    "disk full": (doctor_checks.disk(10**9, "/cache"), Grade.WRONG, "0.9 GiB free in /cache"),
    "disk with room": (doctor_checks.disk(10**11, "/cache"), Grade.GOOD, "93.1 GiB"),
    "Triton made": (doctor_checks.triton(["/cache/triton/abc"]), Grade.GOOD, "/cache/triton/abc"),
    "Triton not made yet": (doctor_checks.triton([]), Grade.NOTE, "not made yet"),
}  # fmt: skip


@pytest.mark.parametrize(("check", "grade", "found"), CASES.values(), ids=CASES)
def test_it_judges(check, grade, found):
    assert check.grade is grade
    assert found in check.found


@pytest.mark.parametrize("check", [case[0] for case in CASES.values()], ids=CASES)
def test_everything_that_is_not_good_comes_with_a_remedy(check):
    assert bool(check.remedy) == (check.grade is not Grade.GOOD)
