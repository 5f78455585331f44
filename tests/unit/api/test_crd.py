"""The resource definition that is generated from the types."""

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, Field

from modelyard.api import crd
from modelyard.api.quantity import Percent
from modelyard.cli.docs import generate

MADE_ONCE = {name: cache(make) for name, make in generate.GENERATED.items()}
"""The generators of the repository's files, of which some take seconds."""
SCHEMA = crd.model_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a schema."""
    yield schema
    for child in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if isinstance(child, dict):
            yield from nodes(child)


def test_the_schema_says_only_what_a_structural_schema_may_say() -> None:
    forbidden = {"$ref", "$defs", "anyOf", "allOf", "oneOf", "title", "const", "propertyNames"}

    assert [sorted(forbidden & set(node)) for node in nodes(SCHEMA) if forbidden & set(node)] == []
    assert [node for node in nodes(SCHEMA) if "type" not in node and "x-kubernetes-int-or-string" not in node] == []
    assert [node for node in nodes(SCHEMA) if node.get("default", 0) is None] == []


def test_everything_a_rule_reads_has_a_greatest_length() -> None:
    ruled = [node for node in nodes(SCHEMA["properties"]["spec"]) if "x-kubernetes-validations" in node]
    texts = [node for node in ruled if node.get("type") == "string" or "x-kubernetes-int-or-string" in node]

    assert texts
    assert [node for node in texts if "maxLength" not in node] == []


def test_every_field_people_write_is_described() -> None:
    fields = [child for node in nodes(SCHEMA["properties"]["spec"]) for child in node.get("properties", {}).values()]

    assert [field for field in fields if not field.get("description")] == []


def test_no_person_reads_a_regular_expression() -> None:
    assert [node for node in nodes(SCHEMA) if "pattern" in node] == []


def test_the_status_has_no_defaults_and_the_spec_has() -> None:
    spec, status = SCHEMA["properties"]["spec"], SCHEMA["properties"]["status"]

    assert [node for node in nodes(status) if "default" in node] == []
    assert spec["properties"]["serving"]["default"] == {"runtime": "auto", "replicas": 1}
    assert spec["properties"]["scaling"]["properties"]["minReplicas"]["default"] == 1


def test_the_api_server_writes_no_field_into_a_rollout_that_its_strategy_may_not_have() -> None:
    rollout = SCHEMA["properties"]["spec"]["properties"]["rollout"]

    assert rollout["default"] == {"strategy": "Canary"}
    assert [name for name, field in rollout["properties"].items() if "default" in field] == ["strategy"]


def test_the_template_is_the_definition_and_nothing_of_it_is_a_helm_template() -> None:
    assert yaml.safe_load(crd.template()) == crd.model_crd()
    assert "{{" not in crd.template()


def test_a_description_that_helm_would_read_as_a_template_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crd, "COLUMNS", (("Ready", "string", ".status", "{{ ready }}"),))

    with pytest.raises(ValueError, match="Helm reads as a template"):
        crd.template()


def test_numbers_optional_fields_and_choices_become_what_the_api_server_knows() -> None:
    class Colour(StrEnum):
        RED = "red"

    class Sample(BaseModel):
        small: int = Field(1, le=10)
        large: int = 0
        share: float | None = None
        colour: Colour = Colour.RED
        rate: Percent | None = Field(None, description="Ours.")
        free: dict[str, Any] = Field({}, json_schema_extra={"x-kubernetes-preserve-unknown-fields": True})
        named: dict[str, int] = {}
        several: list[str] = []
        fixed: Literal["steady"] = "steady"

    fields = crd.structural(Sample)["properties"]

    assert fields["small"] == {"type": "integer", "format": "int32", "maximum": 10, "default": 1}
    assert fields["large"] == {"type": "integer", "format": "int64", "default": 0}
    assert fields["share"] == {"type": "number", "format": "double"}
    assert fields["colour"] == {"type": "string", "enum": ["red"], "default": "red"}
    assert fields["rate"]["description"] == "Ours."
    assert fields["free"] == {"type": "object", "default": {}, "x-kubernetes-preserve-unknown-fields": True}
    assert fields["named"]["additionalProperties"] == {"type": "integer", "format": "int64"}
    assert fields["several"]["items"] == {"type": "string"}
    assert fields["fixed"] == {"type": "string", "enum": ["steady"], "default": "steady"}
    assert crd.without_defaults({"default": [], "items": {"default": 1, "type": "integer"}}) == {
        "items": {"type": "integer"}
    }


def test_a_type_no_definition_can_say_is_refused() -> None:
    class Either(BaseModel):
        value: int | str

    class Multiple(BaseModel):
        value: int = Field(multiple_of=2)

    with pytest.raises(ValueError, match="one type"):
        crd.structural(Either)
    with pytest.raises(ValueError, match="cannot say multipleOf"):
        crd.structural(Multiple)


@pytest.mark.no_cover
def test_what_is_generated_is_what_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "GENERATED", MADE_ONCE)

    assert generate.differing(generate.ROOT) == []
    assert generate.main(["--check"]) == 0


@pytest.mark.no_cover
def test_generating_writes_what_differs_and_only_that(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    monkeypatch.setattr(generate, "GENERATED", MADE_ONCE)

    before = generate.main(["--check"])
    complaint = capsys.readouterr().out
    generate.main([])
    written = capsys.readouterr().out

    assert before == 1
    assert "run `make generate`" in complaint
    assert written.splitlines() == [f"wrote {name}" for name in generate.GENERATED]
    assert generate.main(["--check"]) == 0
    assert generate.write(tmp_path) == []


def test_nothing_that_was_left_out_is_written_into_lists():
    def defaults(node, listed):
        found = [node["default"]] if listed and "default" in node else []
        children = [(child, listed) for child in node.get("properties", {}).values()]
        children += [(node["items"], True)] if "items" in node else []
        return found + [each for child, inside in children for each in defaults(child, inside)]

    root = crd.model_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]

    assert defaults(root, False) == []
    assert root["properties"]["spec"]["properties"]["serving"]["properties"]["runtime"]["default"] == "auto"
