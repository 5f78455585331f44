"""Models in the local cluster: apply one, read its conditions, ask it for a prediction."""

import json
import subprocess
import sys
from typing import Any

import httpx
import numpy as np
import yaml

from tests.support.cluster.kubectl import CONFIG, PATIENCE, ROOT, apply, environment, eventually, get, items
from tests.support.cluster.load import BEGUN

MODEL_LABEL = "modelyard.dev/model"
OURS = (
    "inferenceservices.serving.kserve.io,deployments,services,pods,secrets,serviceaccounts,poddisruptionbudgets,"
    "httproutes.gateway.networking.k8s.io,grpcroutes.gateway.networking.k8s.io"
)


def a_model(name: str, namespace: str, entry: str = "digits", version: str = "1", **spec: Any) -> dict[str, Any]:
    """A Model manifest; a new revision takes over at once unless `rollout` says how else."""
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"source": {"name": entry, "version": version}, "rollout": {"strategy": "Immediate"}, **spec},
    }


def applied(manifest: dict[str, Any]) -> int:
    """Apply a Model; the generation the API server gave it."""
    apply(manifest)
    model = get("model", manifest["metadata"]["name"], manifest["metadata"]["namespace"])
    assert model is not None
    return model["metadata"]["generation"]


def condition(model: dict[str, Any] | None, kind: str) -> dict[str, Any]:
    """A condition of a Model; an empty one when it has not been said yet."""
    conditions = (model or {}).get("status", {}).get("conditions", [])
    return next((each for each in conditions if each["type"] == kind), {})


def until(
    name: str, namespace: str, kind: str, status: str, reason: str = "", seconds: float = PATIENCE
) -> dict[str, Any]:
    """The Model once that condition holds for its newest spec."""

    def reached() -> dict[str, Any] | None:
        model = get("model", name, namespace)
        latest = condition(model, kind)
        current = model and latest.get("observedGeneration") == model["metadata"]["generation"]
        return model if current and latest["status"] == status and reason in ("", latest["reason"]) else None

    return eventually(reached, f"Model {namespace}/{name} is {kind}={status} {reason}", seconds)


def owned(name: str, namespace: str) -> list[str]:
    """Everything in the namespace that belongs to a Model, as kind/name."""
    objects = items(OURS, namespace, f"{MODEL_LABEL}={name}")
    return sorted(f"{item['kind']}/{item['metadata']['name']}" for item in objects)


def serving_alone(name: str, namespace: str, version: str) -> str:
    """The revision's name, once it is the only one left."""

    def reached() -> str | None:
        model = until(name, namespace, "Reconciling", "False", "Done")
        revisions = model["status"]["revisions"]
        alone = len(revisions) == 1 and revisions[0]["version"] == version
        served = [child for child in owned(name, namespace) if child.startswith("InferenceService/")]
        return revisions[0]["name"] if alone and len(served) == 1 else None

    return eventually(reached, f"only version {version} of {name} is left")


def gateway() -> str:
    """host:port of the gateway's HTTP listener as this machine reaches it."""
    return yaml.safe_load(CONFIG.read_text())["gateway"]["url"].removeprefix("http://").rstrip("/")


def host(name: str, namespace: str) -> str:
    return f"{name}.{namespace}.{yaml.safe_load(CONFIG.read_text())['gateway']['domain']}"


def infer(
    name: str, namespace: str, tensor: str, values: np.ndarray, *, by_path: bool = False, headers: Any = None
) -> httpx.Response:
    """One Open Inference Protocol request over HTTP, by host name or by path."""
    prefix = f"/{namespace}/{name}" if by_path else ""
    called = {} if by_path else {"Host": host(name, namespace)}
    inputs = [{"name": tensor, "shape": list(values.shape), "datatype": "FP32", "data": values.ravel().tolist()}]
    return httpx.post(
        f"http://{gateway()}{prefix}/v2/models/{name}/infer",
        json={"inputs": inputs},
        headers={**called, **(headers or {})},
        timeout=30,
    )


def output(answer: httpx.Response) -> np.ndarray:
    """The first output of an answer in its own shape."""
    assert answer.status_code == httpx.codes.OK, f"{answer.status_code}: {answer.text}"
    first = answer.json()["outputs"][0]
    return np.asarray(first["data"]).reshape(first["shape"])


class Load:
    """A steady load in a process of its own; `ended()` closes it and gives its counts.

    `at` is the host:port it goes to, by default the gateway's.
    """

    def __init__(
        self,
        protocol: str,
        name: str,
        namespace: str,
        tensor: str,
        rate: float = 50,
        more: tuple[str, ...] = (),
        at: str = "",
    ) -> None:
        command = [
            sys.executable,
            "-m",
            "tests.support.cluster.load",
            protocol,
            "--gateway",
            at or gateway(),
            "--model",
            name,
        ]
        command += ["--host", host(name, namespace), "--input", tensor, "--rate", str(rate), *more]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
        )

    def begun(self) -> None:
        """Waits for the first answer, whatever it is: what happens next happens under load."""
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == BEGUN

    def ended(self) -> dict[str, Any]:
        out, err = self.process.communicate("", timeout=60)
        assert self.process.returncode == 0, err
        return json.loads(out.strip().splitlines()[-1])
