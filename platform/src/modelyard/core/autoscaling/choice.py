"""Which autoscaler is made: what the settings ask for, as far as the cluster has it.

| autoscaling.autoscaler | KEDA and a Prometheus | metrics.k8s.io | made |
|---|---|---|---|
| auto | there | | a ScaledObject |
| auto | not | there | a HorizontalPodAutoscaler by CPU |
| auto | not | not | nothing; a sentence says what is missing |
| keda | there | | a ScaledObject; without KEDA nothing, and a sentence |
| hpa | | there | a HorizontalPodAutoscaler by CPU; without the metrics nothing, and a sentence |
| none | | | nothing |

KEDA comes first because requests are there before a processor is busy, and because what a replica takes on was measured
in requests. Where somebody else's autoscaler points at the Model or its revision nothing is made: a number has one
writer. While it is not known what the cluster has, nothing is made and nothing is taken away.
"""

from enum import StrEnum
from typing import NamedTuple

from modelyard.core.snapshot import ScalingMeans
from modelyard.settings import Settings


class Autoscaler(StrEnum):
    """What chooses a number of replicas; the words of the status."""

    KEDA = "KEDA"
    HPA = "HorizontalPodAutoscaler"
    NONE = "none"


class AutoscalerChoice(NamedTuple):
    """Which autoscaler is made, None while that is not known; a reason word, and a sentence that says why."""

    autoscaler: Autoscaler | None
    reason: str
    message: str


_NO_KEDA = "the API server does not know ScaledObject (keda.sh/v1alpha1), so KEDA is not installed"
_NO_METRICS = "the API server does not serve metrics.k8s.io, so there is no metrics-server"
_NO_PROMETHEUS = "gateway.prometheusUrl names no Prometheus"
_UNKNOWN = AutoscalerChoice(
    None, "AutoscalerUnknown", "The API server has not said yet which autoscalers the cluster has."
)


def autoscaler_choice(settings: Settings, means: ScalingMeans, rival: str = "") -> AutoscalerChoice:
    """The autoscaler of a Model with `spec.scaling`; `rival` names somebody else's that scales it, or is empty."""
    asked, named = settings.autoscaling.autoscaler, bool(settings.gateway.prometheus_url)
    if rival:
        message = f"{rival} scales it, so no other autoscaler is made: delete that one, and Modelyard makes its own."
        return AutoscalerChoice(Autoscaler.NONE, "ScaledByOthers", message)
    if asked == "none":
        said = "The platform makes no autoscalers (config.autoscaling.autoscaler: none)."
        return AutoscalerChoice(Autoscaler.NONE, "AutoscalingOff", said)
    if asked != "hpa" and means.keda is not False and named:
        return _keda(settings.gateway.prometheus_url) if means.keda else _UNKNOWN
    if asked == "keda":
        return _missing(f"config.autoscaling.autoscaler asks for KEDA, but {_NO_KEDA}: install KEDA, or ask for hpa.")
    if means.resource_metrics:
        why = "config.autoscaling.autoscaler asks for it" if asked == "hpa" else _lack(named)
        return AutoscalerChoice(
            Autoscaler.HPA, "ScaledByCpu", f"A HorizontalPodAutoscaler scales by CPU, because {why}"
        )
    if means.resource_metrics is None:
        return _UNKNOWN
    if asked == "hpa":
        return _missing(f"config.autoscaling.autoscaler asks for hpa, but {_NO_METRICS}: install metrics-server.")
    return _missing(f"Nobody scales here: {_lack(named)}, and {_NO_METRICS}: see to one of both.")


def _keda(prometheus: str) -> AutoscalerChoice:
    return AutoscalerChoice(Autoscaler.KEDA, "ScaledByRequests", f"KEDA scales by what {prometheus} counts")


def _missing(message: str) -> AutoscalerChoice:
    return AutoscalerChoice(Autoscaler.NONE, "NoAutoscaler", message)


def _lack(named: bool) -> str:
    """Why KEDA is not taken."""
    return _NO_KEDA if named else _NO_PROMETHEUS
