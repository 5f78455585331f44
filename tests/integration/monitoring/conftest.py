"""Prometheus and Alertmanager, with sinks for mail and Slack, for all tests of this room."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.monitoring.live import LivePrometheus, prometheus, running
from tests.support.monitoring.programs import program
from tests.support.monitoring.sinks import MailSink, SlackSink, sinks
from tests.support.repository.charts import PLATFORM, objects, one, template
from tests.support.servers.store import free_ports


@dataclass(frozen=True)
class Alerting:
    """An Alertmanager with the routes of the platform's chart, and where its alerts arrive."""

    address: str
    mail: MailSink
    slack: SlackSink

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """Alerts it has now that carry these labels."""
        found = httpx.get(f"http://{self.address}/api/v2/alerts", trust_env=False).json()
        return [alert for alert in found if labels.items() <= alert["labels"].items()]


@contextmanager
def alertmanager(folder: Path) -> Iterator[Alerting]:
    folder.mkdir()
    with sinks() as (mail, slack):
        (folder / "slackUrl").write_text(slack.url)
        values = {
            "enabled": True,
            "secretsPath": str(folder),
            "groupWait": "1s",
            "groupInterval": "2s",
            "email": {
                "enabled": True, "to": "oncall@example.com", "from": "modelyard@example.com", "smarthost": mail.address,
                "requireTls": False,
            },
            "slack": {"enabled": True, "channel": "#models"},
        }  # fmt: skip
        rendered = objects(template(PLATFORM, {"monitoring": {"alertmanagerConfig": values}}))
        text = one(rendered, "ConfigMap", "modelyard-alertmanager")["data"]["alertmanager.yaml"]
        (folder / "alertmanager.yaml").write_text(text)
        [port] = free_ports(1)
        address = f"127.0.0.1:{port}"
        words = [
            program("alertmanager"), "--config.file=alertmanager.yaml", f"--storage.path={folder / 'data'}",
            f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=warn",
        ]  # fmt: skip
        with running(words, f"http://{address}/-/ready", folder / "alertmanager.log"):
            yield Alerting(address, mail, slack)


@pytest.fixture(scope="session")
def alerting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alerting]:
    """An Alertmanager that the session's Prometheus sends to."""
    with alertmanager(tmp_path_factory.mktemp("alerting") / "alertmanager") as running:
        yield running


@pytest.fixture(scope="session")
def live(alerting: Alerting, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    """A Prometheus over `exposition`, its alerts sent to `alerting`."""
    with prometheus(tmp_path_factory.mktemp("prometheus"), alerting.address) as running:
        yield running
