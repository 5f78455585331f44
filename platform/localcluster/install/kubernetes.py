"""kubectl and Helm against one kubeconfig."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcluster.cache import digest_of_files
from localcluster.programs import toolchain
from localcluster.steps.task import Task

# Remembers in the cluster itself which CRDs were applied: applying megabytes of them again takes seconds.
_DEFINED = "modelyard-definitions"
_PATIENCE = "--request-timeout=2m"
"""kubectl waits for ever by default, and with it everybody who waits for the cluster."""
_ESTABLISHED_SECONDS = 300
"""The API server takes 14 s for KServe's on two idle cores, and minutes beside other work."""


@dataclass(frozen=True)
class Kubernetes:
    """A cluster, reached through a kubeconfig."""

    kubeconfig: Path

    def kubectl(self, task: Task, *words: str | Path, text: str = "") -> str:
        """Standard output of a kubectl command."""
        return task.run(toolchain.program("kubectl"), f"--kubeconfig={self.kubeconfig}", *words, text=text)

    def apply(self, task: Task, *files: Path, text: str = "", owner: str = "modelyard-localcluster") -> None:
        """Server-side apply of files and folders, or of `text`, as field manager `owner`."""
        sources = [word for file in files for word in ("-f", str(file))] or ["-f", "-"]
        options = ("--server-side", "--force-conflicts", f"--field-manager={owner}", _PATIENCE)
        self.kubectl(task, "apply", *options, *sources, text=text)

    def helm(self, task: Task, *words: str | Path) -> str:
        """Standard output of a Helm command."""
        return task.run(toolchain.program("helm"), f"--kubeconfig={self.kubeconfig}", *words)

    def value(self, task: Task, kind: str, name: str, path: str, namespace: str = "default") -> str:
        """One field of an object by its JSONPath; empty when there is no such object or field."""
        return self.kubectl(
            task, "get", kind, name, "-n", namespace, "--ignore-not-found", "-o", f"jsonpath={{{path}}}"
        ).strip()

    def define(self, task: Task, files: Sequence[Path]) -> None:
        """Apply CRDs and return once the API server serves them; costs nothing when the same ones are there."""
        key = digest_of_files(Path("/"), files)
        if self.value(task, "configmap", _DEFINED, f".data.{key}", "kube-system"):
            return
        self.apply(task, *files)
        task.until("the new kinds", lambda: self._established(task), _ESTABLISHED_SECONDS)
        noted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": _DEFINED, "namespace": "kube-system"}}
        self.apply(task, text=json.dumps({**noted, "data": {key: "applied"}}), owner=key)

    def _established(self, task: Task) -> bool:
        """Waits for all definitions in one list and watch; kubectl gives up at one that has no conditions yet."""
        words = ("wait", "crd", "--all", "--for=condition=Established", f"--timeout={_ESTABLISHED_SECONDS}s")
        return task.succeeds(toolchain.program("kubectl"), f"--kubeconfig={self.kubeconfig}", *words)

    def serves_what_is_defined(self, task: Task) -> bool:
        """Whether discovery names every kind that is defined; a server that has just started learns them one by one."""
        defined = self.kubectl(task, "get", "crd", "-o", "jsonpath={.items[*].metadata.name}").split()
        known = (toolchain.program("kubectl"), f"--kubeconfig={self.kubeconfig}", "api-resources", "-o", "name")
        return bool(defined) and set(defined) <= set(task.run(*known).split())

    def replicas(self, task: Task, deployment: str, namespace: str) -> "Replicas | None":
        """How far a Deployment is, or None when there is none."""
        words = ["get", "deployment", deployment, "-n", namespace, "--ignore-not-found", "-o", "json"]
        text = self.kubectl(task, *words)
        return Replicas.of(json.loads(text)) if text.strip() else None

    def wait_available(self, task: Task, deployment: str, namespace: str, seconds: float = 120) -> None:
        """Return once a Deployment's newest pods, and only those, are all available."""

        def available() -> bool:
            counts = self.replicas(task, deployment, namespace)
            return counts is not None and counts.settled

        task.until(f"Deployment {namespace}/{deployment}", available, seconds)


@dataclass(frozen=True)
class Replicas:
    """A Deployment's counts; `current` when its controller has seen the newest specification."""

    wanted: int
    updated: int
    available: int
    existing: int
    current: bool

    @classmethod
    def of(cls, deployment: dict[str, Any]) -> "Replicas":
        """Counts from the object."""
        status = deployment.get("status", {})
        return cls(
            wanted=deployment["spec"].get("replicas", 1),
            updated=status.get("updatedReplicas", 0),
            available=status.get("availableReplicas", 0),
            existing=status.get("replicas", 0),
            current=status.get("observedGeneration") == deployment["metadata"]["generation"],
        )

    @property
    def settled(self) -> bool:
        """Whether exactly the wanted pods exist, all of the newest kind and available."""
        return self.current and self.wanted == self.updated == self.available == self.existing
