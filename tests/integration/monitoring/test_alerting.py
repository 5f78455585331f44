"""Alerts arrive where the chart's routes send them: a real Prometheus and Alertmanager, a mail server, a webhook."""

import subprocess
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from modelyard.core.prometheus_rules.objectives import FAST, SLOW
from tests.integration.monitoring.conftest import Alerting
from tests.support.monitoring.exposition import NAMESPACE
from tests.support.monitoring.live import LivePrometheus, until
from tests.support.monitoring.programs import program
from tests.support.repository.charts import PLATFORM, objects, one, template

pytestmark = pytest.mark.integration


def mails(alerting: Alerting, alert: str, model: str) -> list[EmailMessage]:
    return [mail for mail in alerting.mail.mails if mail["subject"] == f"[FIRING] {alert} {NAMESPACE}/{model}"]


def posts(alerting: Alerting, alert: str, model: str) -> list[dict[str, Any]]:
    titles = f"[FIRING] {alert} {NAMESPACE}/{model}"
    return [post for post in alerting.slack.posts if post["attachments"][0]["title"] == titles]


def test_a_page_arrives_by_mail_and_slack_and_says_what_is_and_what_to_do(
    live: LivePrometheus, alerting: Alerting
) -> None:
    [mail, *_] = until("mails", lambda: mails(alerting, FAST, "digits"))
    [post, *_] = until("posts", lambda: posts(alerting, FAST, "digits"))

    assert (mail["to"], mail["from"]) == ("oncall@example.com", "modelyard@example.com")
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Model monitored/digits uses up its error budget" in text
    assert "modelyard slo digits -n monitored" in text
    assert post["channel"] == "#models"
    assert "modelyard slo digits -n monitored" in post["attachments"][0]["text"]


def test_a_ticket_arrives_by_mail_alone(live: LivePrometheus, alerting: Alerting) -> None:
    until("mails", lambda: mails(alerting, SLOW, "iris"))

    assert posts(alerting, SLOW, "iris") == []


def test_a_page_keeps_the_ticket_of_the_same_objective_back(live: LivePrometheus, alerting: Alerting) -> None:
    def kept_back() -> list[dict[str, Any]]:
        tickets = alerting.alerts(alertname=SLOW, model="digits", objective="errors")
        return [ticket for ticket in tickets if ticket["status"]["inhibitedBy"]]

    until("mails", lambda: mails(alerting, FAST, "digits"))
    [ticket] = until("tickets that are kept back", kept_back)

    assert ticket["status"]["state"] == "suppressed"
    assert posts(alerting, SLOW, "digits") == []


def test_nothing_is_said_of_a_model_that_keeps_its_promises(live: LivePrometheus, alerting: Alerting) -> None:
    until("mails", lambda: mails(alerting, SLOW, "iris"))

    assert alerting.alerts(model="quiet") == []
    assert [mail["subject"] for mail in alerting.mail.mails if "quiet" in mail["subject"]] == []


@pytest.mark.parametrize("values", [{}, {"slack": {"enabled": True, "channel": "#models"}}], ids=["nobody", "slack"])
def test_routes_are_such_as_alertmanager_takes(values: dict[str, Any], tmp_path: Path) -> None:
    rendered = objects(template(PLATFORM, {"monitoring": {"alertmanagerConfig": {"enabled": True, **values}}}))
    file = tmp_path / "alertmanager.yaml"
    file.write_text(one(rendered, "ConfigMap", "modelyard-alertmanager")["data"]["alertmanager.yaml"])

    done = subprocess.run([program("amtool"), "check-config", file], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
