"""The add-on tracing: an OpenTelemetry Collector under the name by which the platform's chart looks for one.

Envoy Gateway does not accept a Gateway whose collector has no Service, so it comes before the platform. From then on
the gateway is told of it, whichever add-ons a later start names; until a Model asks for traces, none are sent.
"""

from localcluster.steps.task import Task
from localcluster.versions import local_image

from .kubernetes import Kubernetes
from .prerequisites import manifest

COLLECTOR, NAMESPACE, PORT = "opentelemetry-collector", "monitoring", 4317


def install(kubernetes: Kubernetes, task: Task) -> str:
    """The collector, answering inside the cluster."""
    kubernetes.apply(task, text=manifest("tracing.yaml", collector=local_image(COLLECTOR)))
    kubernetes.wait_available(task, COLLECTOR, NAMESPACE)
    return f"{COLLECTOR}.{NAMESPACE}:{PORT}"


def installed(kubernetes: Kubernetes, task: Task) -> bool:
    """Whether this cluster has a Service that traces can be sent to."""
    return bool(kubernetes.value(task, "service", COLLECTOR, f".spec.ports[?(@.port=={PORT})].port", NAMESPACE))
