"""The values of all charts: every one explained, every one checked, nothing else accepted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.api.crd import structural
from modelyard.api.lifecycle.retrain import Retrain
from modelyard.api.model import Serving
from modelyard.api.monitoring.spec import Monitoring
from modelyard.api.optimize import Optimize
from modelyard.api.rollout import Rollout
from modelyard.api.scheduling.scaling import Scaling
from modelyard.api.tuning.cache import ResponseCache
from modelyard.api.tuning.spec import Tune
from tests.support.repository.charts import LOADTEST, MODEL, PLATFORM, complaint

CHARTS = pytest.mark.parametrize("chart", [PLATFORM, MODEL, LOADTEST], ids=lambda chart: chart.name)


def schema_of(chart: Path) -> dict[str, Any]:
    return json.loads((chart / "values.schema.json").read_text())


def closed_objects(node: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a schema that lists its properties."""
    if isinstance(node, dict):
        if "properties" in node and isinstance(node["properties"], dict) and "type" in node:
            yield at, node
        for key, child in node.items():
            yield from closed_objects(child, f"{at}/{key}")


def same_names(values: dict[str, Any], schema: dict[str, Any], at: str = "") -> Iterator[str]:
    """Paths that only one of values.yaml and its schema knows."""
    known = schema.get("properties", {})
    for name in sorted((set(values) ^ set(known)) - ({"global"} if not at else set())):
        yield f"{at}{name}"
    for name in set(values) & set(known):
        if isinstance(values[name], dict) and known[name].get("properties"):
            yield from same_names(values[name], known[name], f"{at}{name}.")


@CHARTS
def test_every_value_is_explained(chart: Path) -> None:
    lines = (chart / "values.yaml").read_text().splitlines()
    values = [number for number, line in enumerate(lines) if re.match(r"^ *[A-Za-z]\w*:", line)]
    resources = ("requests", "limits")

    def explained(number: int) -> bool:
        """A comment right above, or on the first line inside."""
        above = lines[number - 1].lstrip().startswith("#")
        inside = number + 1 < len(lines) and lines[number + 1].lstrip().startswith("#") and lines[number].endswith(":")
        return above or inside or lines[number].strip().startswith(resources)

    grouping = [number for number in values if lines[number].endswith(":")]
    assert [lines[number] for number in values if number not in grouping and not explained(number)] == []


def test_every_preset_is_explained_and_known_by_its_name() -> None:
    files = {file.stem: file.read_text() for file in (MODEL / "presets").glob("*.yaml")}
    rollout = set(yaml.safe_load((MODEL / "values.yaml").read_text())["rollout"])

    assert set(files) == set(schema_of(MODEL)["properties"]["preset"]["enum"]) - {None}
    for name, text in files.items():
        assert text.startswith(f"# Preset {name}: ")
        assert set(yaml.safe_load(text)) == {"rollout"}
        assert set(yaml.safe_load(text)["rollout"]) <= rollout


def test_every_preset_of_autoscaling_is_explained_and_known_by_its_name() -> None:
    files = {file.stem: file.read_text() for file in (MODEL / "presets" / "autoscaling").glob("*.yaml")}

    assert set(files) == set(schema_of(MODEL)["properties"]["autoscaling"]["enum"]) - {None}
    for name, text in files.items():
        assert text.startswith(f"# Preset {name}: ")
        assert set(yaml.safe_load(text)) == {"scaling"}
        scaling = Scaling.model_validate(yaml.safe_load(text)["scaling"])
        needless = set[str]() if scaling.min_replicas == 0 else {"idleAfter"}
        assert set(yaml.safe_load(text)["scaling"]) == set(structural(Scaling)["properties"]) - needless


def test_the_model_chart_knows_every_field_of_scaling() -> None:
    known = schema_of(MODEL)["properties"]["scaling"]["properties"]

    assert set(known) == set(structural(Scaling)["properties"])


def test_the_model_chart_knows_every_field_of_a_rollout_but_commands_which_a_later_upgrade_would_tell_again() -> None:
    fields = structural(Rollout)["properties"]
    known = schema_of(MODEL)["properties"]["rollout"]["properties"]

    assert set(known) == set(fields) - {"command"}
    for name in ("loadTest", "feedback", "preview", "shadow", "ab"):
        assert set(known[name]["properties"]) == set(fields[name]["properties"])
    assert set(known["steps"]["items"]["properties"]) == set(fields["steps"]["items"]["properties"])
    for name in ("strategy", "onInconclusive"):
        assert set(known[name]["enum"]) - {None} == set(fields[name]["enum"])


def test_the_model_chart_knows_every_field_of_serving_tuning_and_retraining() -> None:
    known = schema_of(MODEL)["properties"]

    assert set(known["serving"]["properties"]) == set(structural(Serving)["properties"])
    assert set(known["tune"]["properties"]) == set(structural(Tune)["properties"])
    assert set(known["cache"]["properties"]) == set(structural(ResponseCache)["properties"])
    assert set(known["retrain"]["properties"]) == set(structural(Retrain)["properties"])


def test_the_model_chart_knows_every_field_of_monitoring() -> None:
    fields = structural(Monitoring)["properties"]
    known = schema_of(MODEL)["properties"]["monitoring"]["properties"]

    assert set(known) == set(fields)
    for name in fields.keys() - {"sample"}:
        assert set(known[name]["properties"]) == set(fields[name]["properties"])


def test_the_model_chart_knows_every_field_of_an_optimization() -> None:
    fields = structural(Optimize)["properties"]
    known = schema_of(MODEL)["properties"]["optimize"]["properties"]

    assert set(known) == set(fields)
    assert known["goal"]["enum"] == fields["goal"]["enum"]
    assert known["precisions"]["items"]["enum"] == fields["precisions"]["items"]["enum"]


def test_the_defaults_that_the_values_name_are_those_of_an_optimization() -> None:
    [named] = [line for line in (MODEL / "values.yaml").read_text().splitlines() if line.startswith("# {goal:")]

    assert yaml.safe_load(named[2 : named.index("}") + 1]) == Optimize().model_dump(mode="json", by_alias=True)


@CHARTS
def test_values_and_schema_know_the_same_names(chart: Path) -> None:
    values = yaml.safe_load((chart / "values.yaml").read_text())

    assert list(same_names(values, schema_of(chart))) == []


@CHARTS
def test_the_schema_is_closed_everywhere(chart: Path) -> None:
    found = list(closed_objects(schema_of(chart)))

    assert len(found) > 5
    assert [at for at, node in found if node.get("additionalProperties") is not False] == []


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"replicas": 3}, "replicas"),
        ({"operator": {"image": "docker.io/modelyard/operator:latest"}}, "operator.image"),
        ({"operator": {"image": "docker.io/modelyard/operator"}}, "operator.image"),
        ({"operator": {"logLevel": "loud"}}, "operator.logLevel"),
        ({"config": {"store": {"secretAccessKey": "never here"}}}, "secretAccessKey"),
        ({"config": {"serving": {"autoRuntime": "tpu"}}}, "config.serving.autoRuntime"),
        ({"gateway": {"service": {"type": "ExternalName"}}}, "gateway.service.type"),
        ({"embeddedStore": {"size": "10GB"}}, "embeddedStore.size"),
    ],
)
def test_the_platform_refuses_values_it_could_not_use(values: dict[str, Any], word: str) -> None:
    assert word in complaint(PLATFORM, values)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"source": {"version": "1"}, "model": {}}, "model"),
        ({"source": {"version": 1}}, "source.version"),
        ({"source": {"version": "1"}, "serving": {"runtime": "tpu"}}, "serving.runtime"),
        ({"source": {"version": "1"}, "slo": {"latency": {"percentile": 99, "threshold": "100"}}}, "threshold"),
        ({"source": {"version": "1"}, "preset": "green"}, "preset"),
        ({"source": {"version": "1"}, "autoscaling": "wild"}, "autoscaling"),
        ({"source": {"version": "1"}, "scaling": {"targetUtilization": 75}}, "scaling.targetUtilization"),
        ({"source": {"version": "1"}, "preset": "ab", "rollout": {"strategy": "Canary"}}, "remove one of them"),
        ({"source": {"version": "1"}, "rollout": {"strategy": "canary"}}, "rollout.strategy"),
        ({"source": {"version": "1"}, "rollout": {"steps": [{"weight": 100}]}}, "rollout.steps.0.weight"),
        ({"source": {"version": "1"}, "rollout": {"steps": [{"wait": "1m", "weight": 5}]}}, "wait"),
        ({"source": {"version": "1"}, "rollout": {"bake": "10"}}, "rollout.bake"),
        ({"source": {"version": "1"}, "optimize": True}, "optimize"),
        ({"source": {"version": "1"}, "monitoring": {"sampling": "auto"}}, "sampling"),
        ({"source": {"version": "1"}, "monitoring": {"drift": {"falseAlarms": 1}}}, "monitoring.drift.falseAlarms"),
        ({"source": {"version": "1"}, "optimize": {"goal": "speed"}}, "optimize.goal"),
        ({"source": {"version": "1"}, "optimize": {"precisions": ["int8", "int8"]}}, "optimize.precisions"),
        ({"source": {"version": "1"}, "optimize": {"budget": "10"}}, "optimize.budget"),
        ({"source": {"version": "1"}, "rollout": {"command": {"id": "1", "action": "abort"}}}, "command"),
        ({}, "source.version"),
        ({"source": {"version": "1", "alias": "champion"}}, "only one of them"),
    ],
)
def test_the_model_chart_refuses_values_no_model_can_have(values: dict[str, Any], word: str) -> None:
    assert word in complaint(MODEL, values)
