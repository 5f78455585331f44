"""What the platform's chart brings for people who have a Prometheus, and an Alertmanager."""

import json
import re
from typing import Any

import pytest
import yaml

from modelyard.api.rollout_status import Outcome, Phase
from modelyard.core.prometheus_rules import rule_file
from modelyard.core.prometheus_rules.objectives import FAST, SLOW
from modelyard.core.slo.burn_rates import Severity
from modelyard.core.slo.objectives import LATENCY_BOUNDS_MS
from modelyard.operator.cache.objects import ObjectCache
from modelyard.operator.metrics.controller import ControllerMetrics
from tests.support.repository.charts import NAMESPACE, PLATFORM, complaint, objects, one, template

ON = {"enabled": True}
MAIL = {**ON, "to": "oncall@example.com", "from": "modelyard@example.com", "smarthost": "mail.example.com:587"}
SLACK = {**ON, "channel": "#models"}


def rendered(**monitoring: Any) -> list[dict[str, Any]]:
    return objects(template(PLATFORM, {"monitoring": monitoring}))


def rules() -> dict[str, Any]:
    return one(rendered(prometheusRule=ON), "PrometheusRule", "modelyard-operator")["spec"]


def alerts() -> list[dict[str, Any]]:
    return [rule for group in rules()["groups"] for rule in group["rules"] if "alert" in rule]


def routes(**values: Any) -> dict[str, Any]:
    config = one(rendered(alertmanagerConfig={**ON, **values}), "ConfigMap", "modelyard-alertmanager")
    return yaml.safe_load(config["data"]["alertmanager.yaml"])


def test_the_rules_are_those_of_the_code_with_the_platforms_namespace() -> None:
    text = yaml.safe_dump(rule_file.document()).replace("PLATFORM_NAMESPACE", NAMESPACE)
    config = one(rendered(rulesConfigMap=ON), "ConfigMap", "modelyard-rules")

    assert rules() == yaml.safe_load(text)
    assert yaml.safe_load(config["data"]["rules.yaml"]) == rules()


def test_rules_speak_of_metrics_the_operator_has() -> None:
    told = ControllerMetrics(ObjectCache(), lambda: 0, lambda: True).text().decode()
    known = set(re.findall(r"^# TYPE (\w+) ", told, re.MULTILINE))
    expressions = [rule["expr"] for group in rules()["groups"] for rule in group["rules"]]

    named = {name for expr in expressions for name in re.findall(r"(?<![\w:])modelyard_[a-z_]+(?![\w:])", expr)}

    assert named
    assert {name for name in named if name.removesuffix("_count") not in known} == set()


def test_every_alert_says_what_is_and_what_to_do_and_its_runbook_is_there() -> None:
    assert {FAST, SLOW, "ModelyardWithoutLeader"} <= {rule["alert"] for rule in alerts()}
    for rule in alerts():
        said = rule["annotations"]
        assert said["summary"].endswith("."), rule["alert"]
        assert said["action"], rule["alert"]
        assert "PLATFORM_NAMESPACE" not in said["action"], rule["alert"]
        if "runbook" in said:
            assert (PLATFORM.parents[1] / said["runbook"]).is_file(), rule["alert"]


def test_alerts_of_rollouts_ask_for_words_that_rollouts_say() -> None:
    text = " ".join(rule["expr"] for rule in alerts())
    phases = re.findall(r'phase="(\w+)"', text)
    outcomes = [word for words in re.findall(r'outcome=~"([\w|]+)"', text) for word in words.split("|")]

    assert phases == [Phase.HOLDING.value]
    assert outcomes == [Outcome.ABORTED.value, Outcome.FAILED.value]


def test_the_gateways_buckets_are_those_that_promises_are_judged_by() -> None:
    proxy = one(rendered(), "EnvoyProxy", "modelyard")
    [buckets] = yaml.safe_load(proxy["spec"]["bootstrap"]["value"])["stats_config"]["histogram_bucket_settings"]

    assert tuple(buckets["buckets"]) == LATENCY_BOUNDS_MS


def test_the_gateways_pods_are_scraped_where_they_are_and_those_of_models_in_every_namespace() -> None:
    found = rendered(podMonitor=ON)
    gateway, models = (one(found, "PodMonitor", f"modelyard-{name}")["spec"] for name in ("gateway", "models"))

    assert gateway["selector"]["matchLabels"] == {
        "gateway.envoyproxy.io/owning-gateway-name": "modelyard",
        "gateway.envoyproxy.io/owning-gateway-namespace": NAMESPACE,
    }
    assert [end["path"] for end in gateway["podMetricsEndpoints"]] == ["/stats/prometheus"]
    assert models["namespaceSelector"] == gateway["namespaceSelector"] == {"any": True}


def test_every_severity_that_an_alert_has_is_routed() -> None:
    ways = routes(email=MAIL, slack=SLACK)["route"]["routes"]
    matched = {word for way in ways for word in re.findall(r'severity="(\w+)"', " ".join(way["matchers"]))}

    assert {rule["labels"]["severity"] for rule in alerts()} == matched == {each.value for each in Severity}


def test_mail_goes_out_for_both_and_slack_for_pages_unless_it_is_said_otherwise() -> None:
    def of(config: dict[str, Any]) -> dict[str, set[str]]:
        return {each["name"]: set(each) - {"name"} for each in config["receivers"]}

    usual = of(routes(email=MAIL, slack=SLACK))
    assert usual == {
        "nobody": set(),
        "modelyard-page": {"email_configs", "slack_configs"},
        "modelyard-ticket": {"email_configs"},
    }
    other = of(routes(email={**MAIL, "severities": ["critical"]}, slack={**SLACK, "severities": ["warning"]}))
    assert (other["modelyard-page"], other["modelyard-ticket"]) == ({"email_configs"}, {"slack_configs"})


def test_no_secret_is_in_the_routes() -> None:
    [page] = [
        each for each in routes(email={**MAIL, "username": "me"}, slack=SLACK)["receivers"] if "page" in each["name"]
    ]

    assert page["email_configs"][0]["auth_password_file"].endswith("/smtpPassword")
    assert page["slack_configs"][0]["api_url_file"].endswith("/slackUrl")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"email": {**MAIL, "to": ""}}, "email.to is empty: write who gets the mail"),
        ({"email": {**MAIL, "from": ""}}, "email.from is empty: write who sends it"),
        ({"email": {**MAIL, "smarthost": ""}}, "email.smarthost is empty: write host:port of the mail server"),
        ({"slack": {**SLACK, "channel": ""}}, "slack.channel is empty: write the channel, such as #models"),
        ({"email": {**MAIL, "severities": ["page"]}}, "severities"),
    ],
)
def test_routes_that_lead_nowhere_are_refused(values: dict[str, Any], sentence: str) -> None:
    assert sentence in complaint(PLATFORM, {"monitoring": {"alertmanagerConfig": {**ON, **values}}})


def test_every_dashboard_is_a_config_map_that_a_sidecar_finds() -> None:
    found = [each for each in rendered(dashboards=ON) if each["metadata"]["name"].startswith("modelyard-dashboard-")]
    files = sorted((PLATFORM / "files" / "dashboards").glob("*.json"))

    assert [each["metadata"]["name"] for each in found] == [f"modelyard-dashboard-{file.stem}" for file in files]
    for each, file in zip(found, files, strict=True):
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert json.loads(each["data"][f"modelyard-{file.stem}.json"]) == json.loads(file.read_text())
