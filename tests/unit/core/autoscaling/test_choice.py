"""Which autoscaler is made, by what the settings ask for and what the cluster has."""

from typing import Any

import pytest

from modelyard.core.autoscaling.choice import AutoscalerChoice, autoscaler_choice
from modelyard.core.event_types import means_harm
from modelyard.core.snapshot import ScalingMeans
from modelyard.settings import AutoscalingSettings, GatewaySettings, Settings
from tests.support.worlds.builders import settings

PROMETHEUS = "http://prometheus.monitoring:9090"
BOTH, KEDA, METRICS, NEITHER = (
    ScalingMeans(True, True),
    ScalingMeans(True, False),
    ScalingMeans(False, True),
    ScalingMeans(False, False),
)


def asking(autoscaler: Any, prometheus: str = PROMETHEUS) -> Settings:
    """Settings that ask for an autoscaler."""
    gateway = GatewaySettings(prometheus_url=prometheus)
    return settings(gateway=gateway, autoscaling=AutoscalingSettings(autoscaler=autoscaler))


def chosen(autoscaler: Any, means: ScalingMeans, prometheus: str = PROMETHEUS, rival: str = "") -> AutoscalerChoice:
    return autoscaler_choice(asking(autoscaler, prometheus), means, rival)


@pytest.mark.parametrize(
    ("asked", "prometheus", "means", "made", "reason"),
    [
        ("auto", PROMETHEUS, BOTH, "KEDA", "ScaledByRequests"),
        ("auto", PROMETHEUS, KEDA, "KEDA", "ScaledByRequests"),
        ("auto", PROMETHEUS, METRICS, "HorizontalPodAutoscaler", "ScaledByCpu"),
        ("auto", PROMETHEUS, NEITHER, "none", "NoAutoscaler"),
        ("auto", "", BOTH, "HorizontalPodAutoscaler", "ScaledByCpu"),
        ("auto", "", KEDA, "none", "NoAutoscaler"),
        ("auto", PROMETHEUS, ScalingMeans(None, True), None, "AutoscalerUnknown"),
        ("auto", PROMETHEUS, ScalingMeans(False, None), None, "AutoscalerUnknown"),
        ("auto", PROMETHEUS, ScalingMeans(True, None), "KEDA", "ScaledByRequests"),
        ("auto", "", ScalingMeans(None, True), "HorizontalPodAutoscaler", "ScaledByCpu"),
        ("keda", PROMETHEUS, BOTH, "KEDA", "ScaledByRequests"),
        ("keda", PROMETHEUS, METRICS, "none", "NoAutoscaler"),
        ("keda", PROMETHEUS, ScalingMeans(), None, "AutoscalerUnknown"),
        ("hpa", PROMETHEUS, BOTH, "HorizontalPodAutoscaler", "ScaledByCpu"),
        ("hpa", PROMETHEUS, KEDA, "none", "NoAutoscaler"),
        ("hpa", PROMETHEUS, ScalingMeans(), None, "AutoscalerUnknown"),
        ("none", PROMETHEUS, BOTH, "none", "AutoscalingOff"),
    ],
)
def test_the_table_of_choices(asked: str, prometheus: str, means: ScalingMeans, made: str | None, reason: str) -> None:
    choice = chosen(asked, means, prometheus)

    assert (choice.autoscaler, choice.reason) == (made, reason)
    assert means_harm(reason) == (reason == "NoAutoscaler")


@pytest.mark.parametrize(
    ("asked", "prometheus", "means", "says"),
    [
        ("keda", PROMETHEUS, METRICS, "KEDA is not installed: install KEDA, or ask for hpa"),
        ("hpa", PROMETHEUS, KEDA, "no metrics-server: install metrics-server"),
        ("auto", "", NEITHER, "gateway.prometheusUrl names no Prometheus, and the API server does not serve metrics"),
        ("auto", PROMETHEUS, NEITHER, "KEDA is not installed, and the API server does not serve metrics.k8s.io"),
        ("auto", PROMETHEUS, METRICS, "by CPU, because the API server does not know ScaledObject"),
        ("auto", "", BOTH, "by CPU, because gateway.prometheusUrl names no Prometheus"),
        ("hpa", PROMETHEUS, BOTH, "by CPU, because config.autoscaling.autoscaler asks for it"),
        ("auto", PROMETHEUS, BOTH, f"KEDA scales by what {PROMETHEUS} counts"),
    ],
)
def test_the_sentence_says_why_and_what_is_missing(asked: str, prometheus: str, means: ScalingMeans, says: str) -> None:
    assert says in chosen(asked, means, prometheus).message


@pytest.mark.parametrize("asked", ["auto", "keda", "hpa", "none"])
def test_where_somebody_else_scales_nothing_is_made(asked: str) -> None:
    choice = chosen(asked, BOTH, rival="HorizontalPodAutoscaler mine")

    assert (choice.autoscaler, choice.reason) == ("none", "ScaledByOthers")
    assert choice.message.startswith("HorizontalPodAutoscaler mine scales it")
