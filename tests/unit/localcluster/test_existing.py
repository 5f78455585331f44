"""Somebody else's cluster is only looked at; what is missing is named with the command that installs it."""

from dataclasses import replace
from pathlib import Path

import pytest

from localcluster import existing
from localcluster.errors import NotPossible
from localcluster.existing import Facts, problems, remedy

GOOD = Facts(
    definitions=frozenset(
        [
            "inferenceservices.serving.kserve.io",
            "gatewayclasses.gateway.networking.k8s.io",
            "gateways.gateway.networking.k8s.io",
            "httproutes.gateway.networking.k8s.io",
            "grpcroutes.gateway.networking.k8s.io",
        ]
    ),
    accepted_classes=("nginx",),
    kserve_image="kserve/kserve-controller:v0.17.0",
    kserve_mode="Standard",
)


def without(name: str) -> Facts:
    return replace(GOOD, definitions=GOOD.definitions - {name})


CASES = {
    "KServe is not installed": replace(without("inferenceservices.serving.kserve.io"), kserve_image=""),
    "KServe is 0.16": replace(GOOD, kserve_image="kserve/kserve-controller:v0.16.1"),
    "deployment mode is Knative": replace(GOOD, kserve_mode="Knative"),
    "lacks grpcroutes": without("grpcroutes.gateway.networking.k8s.io"),
    "No Gateway API controller": replace(GOOD, accepted_classes=()),
}


def test_a_complete_cluster_has_no_problem():
    assert problems(GOOD) == []


def test_envoy_gateway_without_a_class_is_enough_because_the_chart_brings_the_class():
    envoy = GOOD.definitions | {"envoyproxies.gateway.envoyproxy.io"}
    assert problems(replace(GOOD, accepted_classes=(), definitions=envoy)) == []


@pytest.mark.parametrize("sentence", CASES)
def test_what_is_missing_is_named_with_a_command(sentence: str):
    found = problems(CASES[sentence])
    assert len(found) == 1
    assert sentence in found[0].sentence
    assert found[0].remedy.startswith("helm ")


def test_an_empty_cluster_needs_one_command_line_without_repetition():
    found = problems(Facts(frozenset(), (), "", ""))
    line = remedy(found)
    assert line.count("gateway-helm") == 1
    assert line.count("helm install kserve-crd ") == 1


def test_a_misspelt_choice_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(existing.VARIABLE, "exsiting")
    with pytest.raises(NotPossible, match="none of local, existing, kind"):
        existing.chosen()


def test_a_missing_kubeconfig_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(NotPossible, match="set KUBECONFIG"):
        existing.kubeconfig()
