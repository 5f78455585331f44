"""What MLflow says of a deployment becomes fields of a Model, or a sentence before anything is written."""

from typing import Any

import pytest

from modelyard.errors import InvalidModel
from modelyard.mlflow_plugin.model_spec import PATIENCE, checked, config_of, known_flavor, merged, source_of


@pytest.mark.parametrize(
    ("uri", "source"),
    [
        ("models:/fraud/3", {"name": "fraud", "version": "3"}),
        ("models:/Fraud Check@champion", {"name": "fraud-check", "alias": "champion"}),
        ("models:/Fraud Check/12", {"name": "fraud-check", "version": "12"}),
    ],
)
def test_a_registered_version_or_alias_is_a_source(uri: str, source: dict[str, str]) -> None:
    assert source_of(uri) == {"registry": "mlflow", **source}


@pytest.mark.parametrize(
    "uri",
    [
        "runs:/0123/model",
        "models:/m-0123456789abcdef",
        "models:/fraud/Production",
        "models:/fraud/latest",
        "models:/fraud@",
        "models://profile/fraud/3",
        "s3://bucket/model",
        "model",
        "",
    ],
)
def test_every_other_address_says_to_register_it(uri: str) -> None:
    with pytest.raises(InvalidModel, match=r"register it .*models:/NAME@ALIAS"):
        source_of(uri)


def test_a_name_that_no_entry_can_have_is_refused() -> None:
    with pytest.raises(InvalidModel, match="rename it"):
        source_of("models:/---/1")


def test_options_are_fields_by_their_paths() -> None:
    asked = config_of(
        {
            "rollout.strategy": "Canary",
            "scaling.minReplicas": "1",
            "scaling.maxReplicas": "4",
            "slo": "{errorRate: 1%}",
            "serving.resources.limits.memory": "1Gi",
            "optimize": {},
        }
    )

    assert asked.patience == PATIENCE
    assert asked.spec == {
        "rollout": {"strategy": "Canary"},
        "scaling": {"minReplicas": 1, "maxReplicas": 4},
        "slo": {"errorRate": "1%"},
        "serving": {"resources": {"limits": {"memory": "1Gi"}}},
        "optimize": {},
    }
    checked({**asked.spec, "source": source_of("models:/fraud/1")})


@pytest.mark.parametrize(("value", "seconds"), [("90s", 90), ("1h30m", 5400), ("0", 0), (30, 30), ("2.5", 2.5)])
def test_the_time_to_wait_is_no_field(value: Any, seconds: float) -> None:
    assert config_of({"timeout": value}) == ({}, seconds)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"replicas": "2"}, "replicas is no field of a Model: write timeout, or a path that begins with cache,"),
        ({"source.version": "2"}, "source.version is no field"),
        ({"scaling": "4", "scaling.maxReplicas": "4"}, "leave one of them out"),
        ({"slo": "{"}, "cannot be read as YAML"),
        ({"timeout": "soon"}, "timeout=soon is no duration"),
    ],
)
def test_an_option_that_is_none_says_what_to_write(config: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidModel, match=words):
        config_of(config)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"serving.replica": "4"}, r"serving\.replica: Extra inputs are not permitted\."),
        ({"rollout.strategy": "Canaries"}, r"rollout\.strategy: Input should be"),
        ({"serving.replicas": "3", "scaling": "{minReplicas: 1, maxReplicas: 2}"}, "above scaling.maxReplicas"),
    ],
)
def test_a_field_that_does_not_fit_is_named_before_anything_is_written(config: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidModel, match=words):
        checked({**config_of(config).spec, "source": source_of("models:/fraud/1")})


def test_a_change_is_checked_as_the_server_will_merge_it() -> None:
    before = {"source": {"registry": "mlflow", "name": "fraud", "alias": "champion"}, "serving": {"replicas": 3}}
    change = {"source": {"alias": None, "version": "2"}, "serving": {"replicas": 2}, "slo": {"errorRate": "1%"}}

    after = merged(before, change)

    assert after == {
        "source": {"registry": "mlflow", "name": "fraud", "version": "2"},
        "serving": {"replicas": 2},
        "slo": {"errorRate": "1%"},
    }
    assert merged({"a": 1}, {"a": {"b": None, "c": 2}}) == {"a": {"c": 2}}
    assert before["serving"] == {"replicas": 3}


def test_only_onnx_and_what_becomes_it_is_served() -> None:
    for flavor in (None, "", "onnx", "sklearn", "lightgbm", "xgboost", "catboost", "pytorch", "keras"):
        known_flavor(flavor)
    with pytest.raises(InvalidModel, match=r"made of the flavors onnx, .* and not of spark: log it with mlflow\.onnx"):
        known_flavor("spark")
