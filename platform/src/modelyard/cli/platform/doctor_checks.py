"""The judgements of `modelyard doctor`: from what was found to fine, worth knowing, or wrong with a remedy.

Pure functions over objects of the API server; `doctor.py` gathers them.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from modelyard.clients.cluster.gateway_address import GatewayAddress
from modelyard.clients.cluster.operator_lease import leader, leader_silence
from modelyard.core.kinds import Kind
from modelyard.core.snapshot import Object

OLDEST_KSERVE = (0, 17)
ENOUGH_BYTES = 5 * 1024**3
INSTALL = "`make cluster` installs it in the local cluster, `make install` in the cluster of your KUBECONFIG"
_STANDARD = ("Standard", "RawDeployment")


class Grade(StrEnum):
    """How a check came out; only WRONG makes the exit code 1."""

    GOOD = "good"
    NOTE = "note"
    WRONG = "wrong"


class Preflight(NamedTuple):
    """One prerequisite: what was checked, the grade, what was found, and what to do."""

    subject: str
    grade: Grade
    found: str
    remedy: str = ""


def definitions(subject: str, missing: Sequence[Kind], remedy: str) -> Preflight:
    """Are these kinds known to the API server? WRONG with the remedy when some are missing."""
    if not missing:
        return Preflight(subject, Grade.GOOD, "installed")
    names = ", ".join(f"{kind.kind} ({kind.api_version})" for kind in missing)
    return Preflight(subject, Grade.WRONG, f"the API server does not know {names}", remedy)


def kserve(manager: Object | None, config: Object | None) -> Preflight:
    """Is KServe's manager new enough, ready, and in Standard mode by default?"""
    remedy = "install KServe 0.17 or newer in Standard mode (its charts kserve-crd and kserve-resources)"
    if manager is None:
        return Preflight("KServe", Grade.WRONG, "there is no Deployment kserve/kserve-controller-manager", remedy)
    version = _version(manager)
    if version is not None and version < OLDEST_KSERVE:
        return Preflight("KServe", Grade.WRONG, f"version {version[0]}.{version[1]} is too old", remedy)
    if not manager.get("status", {}).get("readyReplicas"):
        command = "kubectl -n kserve describe deployment kserve-controller-manager"
        return Preflight("KServe", Grade.WRONG, "its manager is not ready", command)
    written = "a version its image does not name" if version is None else f"version {version[0]}.{version[1]}"
    mode = _mode(config)
    if mode not in _STANDARD:
        why = f"{written}; its default mode is {mode or 'not said'}, Models ask for Standard themselves"
        return Preflight("KServe", Grade.NOTE, why, "set kserve.controller.deploymentMode=Standard in its chart")
    return Preflight("KServe", Grade.GOOD, f"{written} in {mode} mode")


def _version(manager: Object) -> tuple[int, int] | None:
    for container in manager["spec"]["template"]["spec"]["containers"]:
        tag = re.search(r":v?(\d+)\.(\d+)", container["image"].rpartition("/")[2])
        if tag and container["name"] == "manager":
            return int(tag[1]), int(tag[2])
    return None


def _mode(config: Object | None) -> str:
    try:
        return json.loads((config or {})["data"]["deploy"])["defaultDeploymentMode"]
    except (KeyError, ValueError):
        return ""


def gateway(document: Object | None, namespace: str, name: str) -> Preflight:
    """Is the Gateway of that name there and programmed? None stands for a Gateway that is not there."""
    if document is None:
        return Preflight("Gateway", Grade.WRONG, f"there is no Gateway {namespace}/{name}", INSTALL)
    conditions = {condition["type"]: condition for condition in document.get("status", {}).get("conditions", [])}
    programmed = conditions.get("Programmed", {})
    if programmed.get("status") == "True":
        return Preflight("Gateway", Grade.GOOD, f"{namespace}/{name} is programmed")
    why = programmed.get("message") or "no controller has taken it up"
    command = (
        f"kubectl -n {namespace} describe gateway {name}; is a Gateway API controller such as Envoy Gateway running?"
    )
    return Preflight("Gateway", Grade.WRONG, f"{namespace}/{name} is not programmed: {why}", command)


def address(found: GatewayAddress, silence: str) -> Preflight:
    """Does the gateway answer from this machine? `silence` says why not; empty when it does."""
    if not silence:
        return Preflight("Gateway's address", Grade.GOOD, f"{found.url} answers ({found.origin})")
    why = f"nothing answers at {found.url} from this machine ({found.origin}): {silence}"
    remedy = "set gateway.publicUrl in .modelyard/config.yaml (MODELYARD_GATEWAY_PUBLIC_URL) to its address"
    return Preflight("Gateway's address", Grade.WRONG, why, remedy)


def operator(deployment: Object | None, lease: Object | None, namespace: str, now: datetime) -> Preflight:
    """Does the operator run, and does one replica hold its Lease, renewed within two of the Lease's durations?"""
    if deployment is None:
        return Preflight("Operator", Grade.WRONG, f"there is no Deployment {namespace}/modelyard-operator", INSTALL)
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    logs = f"kubectl -n {namespace} logs deploy/modelyard-operator"
    if not ready:
        return Preflight("Operator", Grade.WRONG, "no replica is ready", logs)
    silence = leader_silence(lease, now)
    if silence:
        return Preflight("Operator", Grade.WRONG, f"{ready} ready, but {silence}", logs)
    return Preflight("Operator", Grade.GOOD, f"{ready} ready, {leader(lease)} leads")


def operators_store(answers: Sequence[tuple[bool, str]], namespace: str) -> Preflight:
    """Does the store take the operator's own keys? One answer a replica: yes or no, and its sentence."""
    subject = "Store, as the operator"
    if not answers:
        return Preflight(subject, Grade.WRONG, "no replica of the operator can be asked", INSTALL)
    failures = [sentence for taken, sentence in answers if not taken]
    if failures:
        remedy = f"compare the operator's Secret (store.readerSecret, in {namespace}) with what the store knows"
        return Preflight(subject, Grade.WRONG, failures[0], remedy)
    return Preflight(subject, Grade.GOOD, answers[0][1])


def autoscaling(reports: Sequence[str]) -> Preflight:
    """Which autoscaler do Models get? One report a replica of the operator: a reason word, a colon, a sentence."""
    subject = "Autoscaling"
    if not reports:
        return Preflight(subject, Grade.NOTE, "no replica of the operator can be asked", INSTALL)
    reason, _, sentence = reports[0].partition(": ")
    if reason == "NoAutoscaler":
        remedy = "Models with spec.scaling keep the replicas they have until there is one; see config.autoscaling"
        return Preflight(subject, Grade.NOTE, sentence, remedy)
    return Preflight(subject, Grade.GOOD, sentence)


def disk(free: int, where: str) -> Preflight:
    """Is there room for builds and images? `free` is in bytes."""
    room = f"{free / 1024**3:.1f} GiB free in {where}"
    if free < ENOUGH_BYTES:
        return Preflight("Disk", Grade.WRONG, room, "make room, or point MODELYARD_CACHE at a larger disk")
    return Preflight("Disk", Grade.GOOD, room)


def triton(homes: Sequence[str]) -> Preflight:
    """Is the Triton for this machine made already? `homes` are the folders of those that are."""
    if homes:
        return Preflight("Local Triton", Grade.GOOD, homes[-1])
    return Preflight("Local Triton", Grade.NOTE, "not made yet", "it is made by the first `modelyard build` or `serve`")
