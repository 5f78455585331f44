"""All rules as one file, as Prometheus and promtool read it."""

from typing import Any

import yaml

from . import data_alerts, objectives, platform_alerts, requests, resources
from .rule import RuleGroup

_HEAD = "# Made by `make generate` (modelyard.core.prometheus_rules). Not a template: {{ }} is Prometheus' own.\n"


def groups() -> tuple[RuleGroup, ...]:
    """Every group, in the order in which one reads what another recorded."""
    return (requests.group(), *objectives.groups(), resources.group(), platform_alerts.group(), data_alerts.group())


def text() -> str:
    """charts/modelyard/files/rules.yaml."""
    return _HEAD + yaml.dump(document(), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def document() -> dict[str, Any]:
    """The file as plain values."""
    return {"groups": [group.document() for group in groups()]}


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as they are."""


def _represented(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _represented)
