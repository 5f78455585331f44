"""What all rules have in common."""

import re

import yaml

from modelyard.core.prometheus_rules import rule_file
from modelyard.core.prometheus_rules.rule import Alert, Recording

RULES = [rule for group in rule_file.groups() for rule in group.rules]
RECORDED = re.compile(r"\b(?:slot|revision|model):[\w:]+")


def test_the_file_is_what_its_rules_say() -> None:
    assert yaml.safe_load(rule_file.text()) == rule_file.document()


def test_every_series_that_a_rule_reads_of_others_was_recorded_before_it() -> None:
    known: set[str] = set()
    for rule in RULES:
        assert set(RECORDED.findall(rule.expr)) - known == set(), rule
        if isinstance(rule, Recording):
            known.add(rule.record)


def test_no_series_is_recorded_twice_under_the_same_labels() -> None:
    names = [(rule.record, tuple(rule.labels.items())) for rule in RULES if isinstance(rule, Recording)]

    assert len(names) == len(set(names))


def test_an_alert_says_what_is_and_what_to_do() -> None:
    for alert in (rule for rule in RULES if isinstance(rule, Alert)):
        assert alert.alert.startswith("Modelyard")
        assert alert.summary.endswith("."), alert.alert
        assert alert.action, alert.alert
