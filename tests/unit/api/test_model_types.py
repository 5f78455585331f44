"""The Python types refuse what the API server refuses, in the same words."""

import pytest
from pydantic import ValidationError

from modelyard.api.model import Model, ModelSpec
from modelyard.api.quantity import fraction, seconds
from modelyard.api.rollout_status import Phase
from modelyard.api.status import ModelStatus
from tests.support.objects.refusals import ACCEPTED, REFUSALS, SOURCE, Refusal


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_a_mistake_is_refused_with_the_sentence_the_api_server_says(case: Refusal) -> None:
    with pytest.raises(ValidationError) as refused:
        ModelSpec.model_validate(case.spec)

    assert f"Value error, {case.sentence}" in [one["msg"] for one in refused.value.errors()]


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_right_spec_is_read(spec: dict) -> None:
    assert ModelSpec.model_validate(spec).source.name == spec["source"]["name"]


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        ModelSpec.model_validate({"source": SOURCE, "sorce": {}})


def test_a_boolean_is_no_amount() -> None:
    with pytest.raises(ValidationError):
        ModelSpec.model_validate({"source": SOURCE, "serving": {"resources": {"limits": {"cpu": True}}}})


def test_a_trailing_newline_is_no_part_of_a_name() -> None:
    with pytest.raises(ValidationError):
        ModelSpec.model_validate({"source": {"name": "digits\n", "version": "1"}})


def test_numbers_and_texts_mean_the_same_amount() -> None:
    specs = [
        ModelSpec.model_validate({"source": SOURCE, "serving": {"resources": {"requests": {"cpu": cpu}}}})
        for cpu in (2, "2")
    ]

    assert specs[0] == specs[1]


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({}, (1, 1)),
        ({"serving": {"replicas": 3}}, (3, 3)),
        ({"scaling": {"maxReplicas": 4}}, (1, 4)),
        ({"scaling": {"minReplicas": 2, "maxReplicas": 4}}, (2, 4)),
    ],
)
def test_the_range_of_replicas_is_what_was_written_or_one(more: dict, wanted: tuple[int, int]) -> None:
    assert ModelSpec.model_validate({"source": SOURCE, **more}).replica_range() == wanted


@pytest.mark.parametrize(
    ("source", "text"),
    [({"name": "digits", "version": "1"}, "digits:1"), ({"name": "digits", "alias": "champion"}, "digits@champion")],
)
def test_a_source_is_written_as_people_write_it(source: dict, text: str) -> None:
    assert str(ModelSpec.model_validate({"source": source}).source) == text


def test_a_model_knows_its_name_its_namespace_and_the_generation_of_its_spec() -> None:
    model = Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": {"source": SOURCE}})

    assert (model.name, model.namespace, model.generation) == ("digits", "demo", 0)
    assert model.status.condition("Ready") is None


def test_a_condition_is_found_by_its_type() -> None:
    ready = {"type": "Ready", "status": "True", "reason": "Serving", "message": "", "lastTransitionTime": ""}
    model = Model.model_validate(
        {"metadata": {}, "spec": {"source": SOURCE}, "status": {"conditions": [{**ready, "type": "Built"}, ready]}}
    )

    found = model.status.condition("Ready")

    assert found is not None
    assert found.reason == "Serving"


def test_percentages_and_durations_become_numbers() -> None:
    assert fraction("0.1%") == pytest.approx(0.001)
    assert [seconds(text) for text in ("100ms", "1.5s", "2m", "1h30m")] == pytest.approx([0.1, 1.5, 120, 5400])


def test_a_status_written_by_another_version_is_read_without_the_fields_that_are_not_known() -> None:
    old = {
        "phase": "Holding",
        "since": "2026-01-01T00:00:00Z",
        "heard": ["1"],
        "gates": [{"name": "errors", "verdict": "Hold", "against": 2.5, "failsAt": 200.0, "bad": 3, "requests": 10}],
    }

    status = ModelStatus.model_validate({"rollout": old, "revisions": [], "unheardOf": {"a": 1}})

    assert status.rollout is not None
    assert (status.rollout.phase, status.rollout.handled_commands) == (Phase.HOLDING, [])
    assert (status.rollout.gates[0].requests, status.rollout.gates[0].failed_requests) == (10, 0)


def test_a_document_of_the_api_server_is_a_model_whatever_else_it_has() -> None:
    document = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Model",
        "metadata": {"name": "digits", "namespace": "demo", "managedFields": []},
        "spec": {"source": {"name": "digits", "version": "1"}},
        "status": None,
    }
    model = Model.of(document)

    assert (model.name, model.status.revision) == ("digits", "")
    with pytest.raises(ValidationError):
        Model.of({"metadata": {"name": "digits"}})
