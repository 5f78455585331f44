"""Charts rendered by Helm, as objects."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
HELM = Path(sys.executable).parent / "helm"
PLATFORM = ROOT / "charts" / "modelyard"
MODEL = ROOT / "charts" / "model"
LOADTEST = ROOT / "charts" / "loadtest"
NAMESPACE = "modelyard-system"

Object = dict[str, Any]


def helm(*words: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A Helm command; never raises."""
    command = [str(HELM), *map(str, words)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)


def template(chart: Path, values: Object | None = None, release: str = "modelyard", namespace: str = NAMESPACE) -> str:
    """The rendered chart as YAML."""
    done = helm("template", release, chart, "-n", namespace, "-f", "-", stdin=yaml.safe_dump(values or {}))
    assert done.returncode == 0, done.stderr
    return done.stdout


def objects(rendered: str) -> list[Object]:
    """The objects of a rendering."""
    return [document for document in yaml.safe_load_all(rendered) if document]


def complaint(chart: Path, values: Object) -> str:
    """What Helm says when it refuses the values; empty when it does not."""
    return helm("template", "modelyard", chart, "-n", NAMESPACE, "-f", "-", stdin=yaml.safe_dump(values)).stderr


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The object of that kind and name."""
    [match] = [each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name]
    return match


def pod_templates(objects: list[Object]) -> dict[str, Object]:
    """Every pod the objects ask for, as kind/name -> pod spec."""
    pods = {}
    for each in objects:
        name = f"{each['kind']}/{each['metadata']['name']}"
        if each["kind"] == "Pod":
            pods[name] = each["spec"]
        elif each["kind"] in ("DaemonSet", "Deployment", "StatefulSet", "Job"):
            pods[name] = each["spec"]["template"]["spec"]
        elif each["kind"] == "CronJob":
            pods[name] = each["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return pods
