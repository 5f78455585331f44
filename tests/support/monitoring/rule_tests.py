"""Rules asked by promtool: series that come in, and which alerts and values there are at which time.

Evaluating the rules costs the same for one Model as for many, so stories are told of Models of their own and tried
together, in one run of promtool.
"""

import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from modelyard.core.prometheus_rules import rule_file
from tests.support.monitoring.programs import program

STEP = 30
"""Seconds between two samples of what comes in."""
_FAILED = re.compile(r"^    expr: ", re.MULTILINE)


def counter(*spans: tuple[float, float]) -> str:
    """A counter from 0 on, by spans of (minutes, a second)."""
    values, at = ["0"], 0.0
    for minutes, a_second in spans:
        count, step = round(minutes * 60 / STEP), a_second * STEP
        values.append(f"{at + step:.6f}+{step:.6f}x{count - 1}")
        at += step * count
    return " ".join(values)


def steady(*spans: tuple[float, float]) -> str:
    """A gauge, by spans of (minutes, value)."""
    return " ".join(f"{value:.6f}x{round(minutes * 60 / STEP) - 1}" for minutes, value in spans)


def series(metric: str, **labels: str) -> str:
    """`metric{label="value"}`."""
    pairs = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return f"{metric}{{{pairs}}}"


@dataclass
class Story:
    """What comes in of one Model of namespace demo, and what is expected of it."""

    model: str
    incoming: list[dict[str, str]] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)

    def adds(self, values: str, metric: str, **labels: str) -> "Story":
        """A series."""
        self.incoming.append({"series": series(metric, **labels), "values": values})
        return self

    def says(self, values: str, metric: str, **labels: str) -> "Story":
        """A series of the operator about the Model."""
        return self.adds(values, f"modelyard_{metric}", namespace="demo", model=self.model, **labels)

    def counts(self, values: str, metric: str, cluster: str = "rule/0/backend/0", **labels: str) -> "Story":
        """A series of an Envoy about one of its clusters: `rule/0/backend/0`, or `grpcroute/{}/rule/...`."""
        kind, _, rest = cluster.rpartition("/{}/") if "{}" in cluster else ("httproute", "", cluster)
        name = f"{kind}/demo/{self.model}{'' if rest.startswith('--') else '/'}{rest}"
        place = {"pod": "envoy-1", "instance": "envoy-1", **labels}
        return self.adds(values, metric, envoy_cluster_name=name, **place)

    def answers(self, code: int, values: str, cluster: str = "rule/0/backend/0", **labels: str) -> "Story":
        """Answers of a class of status."""
        return self.counts(
            values, "envoy_cluster_upstream_rq_xx", cluster, envoy_response_code_class=str(code), **labels
        )

    def promises(self, minutes: float, objective: str = "errors", allowed: float = 0.01) -> "Story":
        """The operator says, for so long, that a share may be bad."""
        return self.says(steady((minutes, allowed)), "slo_allowed_ratio", objective=objective)

    def fails(self, *spans: tuple[float, float], rate: float = 20.0) -> "Story":
        """Requests of which a share fails, by spans of (minutes, share)."""
        self.answers(2, counter(*((minutes, rate * (1 - share)) for minutes, share in spans)))
        return self.answers(5, counter(*((minutes, rate * share) for minutes, share in spans)))

    def gives(self, minutes: float, query: str, *values: float, **labels: str) -> "Story":
        """At that time the query, with `{}` for the Model, has this value, or none."""
        expr = query.replace("{}", f'{{namespace="demo",model="{self.model}"}}')
        shown = series("", namespace="demo", model=self.model, **labels)
        name = query.removesuffix("{}") if query.endswith("{}") and ":" in query.split("{")[0] else ""
        samples = [{"labels": f"{name}{shown}", "value": value} for value in values]
        self.expected.append({"expr": expr, "eval_time": f"{round(minutes * 60)}s", "exp_samples": samples})
        return self

    def tells(self, minutes: float, alert: str, *objectives: str) -> "Story":
        """At that time the alert fires for exactly these objectives of the Model."""
        firing = series("ALERTS", alertname=alert, model=self.model, alertstate="firing")
        query = f"sum by (namespace, model, objective) ({firing})"
        samples = [
            {"labels": series("", namespace="demo", model=self.model, objective=objective), "value": 1}
            for objective in objectives
        ]
        self.expected.append({"expr": query, "eval_time": f"{round(minutes * 60)}s", "exp_samples": samples})
        return self


def told(tellings: Iterable[Callable[[Story], None]]) -> dict[str, Story]:
    """Every story, told of a Model of its own."""
    stories = {}
    for number, tell in enumerate(tellings):
        stories[tell.__name__] = story = Story(f"m{number}")
        tell(story)
    return stories


def complaints(stories: Mapping[str, Story], leads: str, folder: Path) -> dict[str, str]:
    """What promtool finds different, by story; `leads` are the values of the operator's sign of life."""
    folder.mkdir(parents=True, exist_ok=True)
    rules = rule_file.document()
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    leader = {"series": series("modelyard_leader", pod="operator-1"), "values": leads}
    tests = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": "30s",
        "group_eval_order": [group["name"] for group in rules["groups"]],
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [leader, *(each for story in stories.values() for each in story.incoming)],
                "promql_expr_test": [each for story in stories.values() for each in story.expected],
            }
        ],
    }
    (folder / "tests.yaml").write_text(yaml.safe_dump(tests))
    command = [str(program("promtool")), "test", "rules", "tests.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    said = done.stdout + done.stderr
    blocks = _FAILED.split(said)[1:]
    found = {
        name: "\n".join(block for block in blocks if f'model="{story.model}"' in block)
        for name, story in stories.items()
    }
    assert done.returncode == 0 or any(found.values()), said
    return found
