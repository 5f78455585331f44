"""Who Alertmanager tells: the mail server and the webhook of `sink_program`, in a pod of a namespace of one's own.

The routes are those of the platform's chart, rendered with these receivers and put where the add-on `monitoring` has
its own; leaving the block puts those back. Commands are run by whoever uses it: `run(*words, stdin=...)` gives what a
command prints, and fails when it does.
"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Protocol

import yaml

MAIL_PORT, SLACK_PORT = 2525, 8080
POD, ALERTMANAGER, MONITORING, PLATFORM = "receivers", "alertmanager", "monitoring", "modelyard-system"
CONFIG = SECRET = "modelyard-alertmanager"  # noqa: S105 - the name of a Secret, not one
CHART, TEMPLATE = "charts/modelyard", "templates/monitoring-alertmanager.yaml"
PROGRAM = Path(__file__).with_name("sink_program.py")


class Run(Protocol):
    """Runs a command."""

    def __call__(self, *words: str, stdin: str = "") -> str: ...


class AlertMessage(NamedTuple):
    """A message as it arrived: by mail or by slack."""

    by: str
    title: str
    text: str


class Receivers:
    """Use as a context manager; `namespace` is there already."""

    def __init__(self, run: Run, namespace: str) -> None:
        self._run, self._namespace = run, namespace
        self._before: list[str] = []
        self._secret_was_there = False

    def __enter__(self) -> "Receivers":
        self._apply(*self._sink())
        self._run("kubectl", "wait", "-n", self._namespace, f"pod/{POD}", "--for=condition=Ready", "--timeout=120s")
        self._before = [kept for kept in map(self._kept, ("configmap", "secret")) if kept]
        self._secret_was_there = len(self._before) == 2
        try:
            self._apply(*self._routes())
            self._restart()
        except BaseException:
            self._put_back()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._put_back()

    def messages(self, about: str = "") -> list[AlertMessage]:
        """What has arrived so far, in order, of which the title has these words."""
        text = self._run("kubectl", "logs", "-n", self._namespace, POD)
        found = [AlertMessage(**json.loads(line)) for line in text.splitlines() if line.startswith("{")]
        return [message for message in found if about in message.title]

    def _put_back(self) -> None:
        if not self._secret_was_there:
            self._run("kubectl", "delete", "secret", SECRET, "-n", MONITORING, "--ignore-not-found")
        for kept in self._before:
            self._run("kubectl", "replace", "--force", "-f", "-", stdin=kept)
        self._restart()

    def _kept(self, kind: str) -> str:
        text = self._run("kubectl", "get", kind, CONFIG, "-n", MONITORING, "-o", "json", "--ignore-not-found")
        if not text.strip():
            return ""
        made = json.loads(text)
        meta = made["metadata"]
        made["metadata"] = {name: meta[name] for name in ("name", "namespace", "labels") if name in meta}
        return json.dumps(made)

    def _apply(self, *objects: dict[str, Any]) -> None:
        self._run("kubectl", "apply", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def _restart(self) -> None:
        """Alertmanager reads its files anew at once; the kubelet would take a minute to bring them."""
        self._run("kubectl", "rollout", "restart", "-n", MONITORING, f"deployment/{ALERTMANAGER}")
        self._run("kubectl", "rollout", "status", "-n", MONITORING, f"deployment/{ALERTMANAGER}", "--timeout=120s")

    def _routes(self) -> list[dict[str, Any]]:
        """The chart's ConfigMap with these receivers, and the Secret with the webhook's address."""
        where = f"{POD}.{self._namespace}.svc"
        said = {
            "enabled": "true", "groupWait": "2s", "groupInterval": "5s",
            "email.enabled": "true", "email.to": "oncall@example.com", "email.from": "modelyard@example.com",
            "email.smarthost": f"{where}:{MAIL_PORT}", "email.requireTls": "false",
            "slack.enabled": "true", "slack.channel": "#models",
        }  # fmt: skip
        settings = [f"monitoring.alertmanagerConfig.{name}={value}" for name, value in said.items()]
        chosen = [word for setting in settings for word in ("--set", setting)]
        text = self._run("helm", "template", "modelyard", CHART, "-n", PLATFORM, "-s", TEMPLATE, *chosen)
        routes = yaml.safe_load(text)
        routes["metadata"]["namespace"] = MONITORING
        secret = {
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": SECRET, "namespace": MONITORING},
            "stringData": {"slackUrl": f"http://{where}:{SLACK_PORT}/services/T0/B0/X0"},
        }  # fmt: skip
        return [routes, secret]

    def _sink(self) -> list[dict[str, Any]]:
        """The program in a ConfigMap, a pod that runs it with the operator's Python, and its Service."""
        image = self._run(
            "kubectl", "get", "deployment", "modelyard-operator", "-n", PLATFORM,
            "-o", "jsonpath={.spec.template.spec.containers[0].image}",
        )  # fmt: skip
        labels, ports = {"app.kubernetes.io/name": POD}, {"mail": MAIL_PORT, "slack": SLACK_PORT}
        meta = {"name": POD, "namespace": self._namespace, "labels": labels}
        container = {
            "name": "sink", "image": image.strip(), "imagePullPolicy": "IfNotPresent",
            "command": ["python3", f"/program/{PROGRAM.name}", str(MAIL_PORT), str(SLACK_PORT)],
            "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
            "readinessProbe": {"tcpSocket": {"port": MAIL_PORT}, "periodSeconds": 1},
            "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "program", "mountPath": "/program", "readOnly": True}],
        }  # fmt: skip
        pod = {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "program", "configMap": {"name": POD}}],
        }
        reached = [{"name": name, "port": port, "targetPort": name} for name, port in ports.items()]
        return [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {PROGRAM.name: PROGRAM.read_text()}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": pod},
            {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"selector": labels, "ports": reached}},
        ]
