"""Where the operator gets its evidence from can be set, and nothing of the chart stands in the way."""

import yaml

from tests.support.repository.charts import PLATFORM, complaint, objects, one, template

URL = "http://prometheus.monitoring:9090"


def test_evidence_from_a_prometheus_needs_its_address() -> None:
    said = complaint(PLATFORM, {"config": {"gateway": {"evidence": "prometheus"}}})

    assert "prometheusUrl" in said


def test_the_operator_is_told_of_the_prometheus() -> None:
    rendered = objects(template(PLATFORM, {"config": {"gateway": {"evidence": "prometheus", "prometheusUrl": URL}}}))
    config = yaml.safe_load(one(rendered, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])

    assert (config["gateway"]["evidence"], config["gateway"]["prometheusUrl"]) == ("prometheus", URL)


def test_the_operator_may_reach_the_gateways_pods_whatever_network_policies_are_made() -> None:
    rendered = objects(template(PLATFORM, {"networkPolicy": {"enabled": True}}))

    assert one(rendered, "NetworkPolicy", "modelyard-operator")["spec"]["policyTypes"] == ["Ingress"]


def test_keda_needs_the_address_of_a_prometheus() -> None:
    asked = {"autoscaling": {"autoscaler": "keda"}}

    assert "prometheusUrl" in complaint(PLATFORM, {"config": asked})
    rendered = objects(template(PLATFORM, {"config": {**asked, "gateway": {"prometheusUrl": URL}}}))
    config = yaml.safe_load(one(rendered, "ConfigMap", "modelyard-operator")["data"]["config.yaml"])
    assert config["autoscaling"]["autoscaler"] == "keda"
