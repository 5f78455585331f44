"""kubectl and Helm against one kubeconfig."""

from dataclasses import dataclass
from pathlib import Path

from . import toolchain
from .task import Task


@dataclass(frozen=True)
class Kubernetes:
    """A cluster, reached through a kubeconfig."""

    kubeconfig: Path

    def kubectl(self, task: Task, *words: str | Path, text: str = "") -> str:
        """Standard output of a kubectl command."""
        return task.run(toolchain.program("kubectl"), f"--kubeconfig={self.kubeconfig}", *words, text=text)

    def apply(self, task: Task, *files: Path, text: str = "") -> None:
        """Server-side apply of files and folders, or of `text`."""
        sources = [word for file in files for word in ("-f", str(file))] or ["-f", "-"]
        owner = "--field-manager=modelyard-localcluster"
        self.kubectl(task, "apply", "--server-side", "--force-conflicts", owner, *sources, text=text)

    def helm(self, task: Task, *words: str | Path) -> str:
        """Standard output of a Helm command."""
        return task.run(toolchain.program("helm"), f"--kubeconfig={self.kubeconfig}", *words)

    def value(self, task: Task, kind: str, name: str, path: str, namespace: str = "default") -> str:
        """One field of an object by its JSONPath; empty when there is no such object or field."""
        return self.kubectl(
            task, "get", kind, name, "-n", namespace, "--ignore-not-found", "-o", f"jsonpath={{{path}}}"
        ).strip()

    def wait_available(self, task: Task, deployment: str, namespace: str, seconds: float = 120) -> None:
        """Return once a Deployment's newest pods are all available."""

        def available() -> bool:
            seen = "{.metadata.generation} {.status.observedGeneration} {.spec.replicas} "
            seen += "{.status.updatedReplicas} {.status.availableReplicas} {.status.replicas}"
            words = ["get", "deployment", deployment, "-n", namespace, "--ignore-not-found", "-o", f"jsonpath={seen}"]
            counts = self.kubectl(task, *words).split(" ")
            return len(counts) == 6 and counts[0] == counts[1] and len(set(counts[2:])) == 1

        task.until(f"Deployment {namespace}/{deployment}", available, seconds)
