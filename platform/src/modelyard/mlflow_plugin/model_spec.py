"""What MLflow says of a deployment, as fields of a Model's spec. Pure.

models:/Fraud Check/3           source: {registry: mlflow, name: fraud-check, version: "3"}
models:/Fraud Check@champion    source: {registry: mlflow, name: fraud-check, alias: champion}
-C scaling.maxReplicas=4        scaling: {maxReplicas: 4}; a value is YAML
-C timeout=30m                  no field: how long to wait for the rollout, 0 for not at all
"""

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml
from pydantic import TypeAdapter, ValidationError

from modelyard.api.model import ModelSpec
from modelyard.api.quantity import Duration, seconds
from modelyard.core.storage.synced import entry_name
from modelyard.errors import InvalidModel
from modelyard.mlflow_sync.flavors import FRAMEWORKS

TIMEOUT, PATIENCE = "timeout", 600.0
_FIELDS = frozenset(field.alias or name for name, field in ModelSpec.model_fields.items()) - {"source"}


class DeploymentConfig(NamedTuple):
    """Fields of a Model's spec, and the seconds to wait for its rollout."""

    spec: dict[str, Any]
    patience: float = PATIENCE


def source_of(model_uri: str) -> dict[str, str]:
    """`spec.source` of a version or an alias of a registered model; InvalidModel for every other address."""
    parts = urlsplit(model_uri)
    path = parts.path.strip("/")
    if parts.scheme == "models" and not parts.netloc:
        model, _, alias = path.partition("@")
        if alias and "/" not in path:
            return _source(model, "alias", alias)
        model, _, version = path.partition("/")
        if version.isascii() and version.isdigit():
            return _source(model, "version", version)
    raise InvalidModel(
        f"{model_uri} names no version of a registered model: register it (mlflow.register_model), and write "
        "models:/NAME/VERSION or models:/NAME@ALIAS."
    )


def _source(model: str, kind: str, value: str) -> dict[str, str]:
    name = entry_name(model)
    if not name:
        raise InvalidModel(f"the registered model {model!r} has no name that an entry can have: rename it.")
    return {"registry": "mlflow", "name": name, kind: value}


def known_flavor(flavor: str | None) -> None:
    """Raises InvalidModel for a flavor that the sync makes no ONNX of."""
    if flavor and flavor not in FRAMEWORKS:
        known = ", ".join(FRAMEWORKS)
        raise InvalidModel(
            f"what is served is ONNX, which is made of the flavors {known}, and not of {flavor}: log it with "
            "mlflow.onnx.log_model."
        )


def config_of(config: Mapping[str, Any] | None) -> DeploymentConfig:
    """Paths of fields and their values, as a spec and a time; InvalidModel for a field that a Model has not."""
    spec: dict[str, Any] = {}
    patience = PATIENCE
    for path, value in (config or {}).items():
        if path == TIMEOUT:
            patience = _span(value)
            continue
        above, _, last = path.rpartition(".")
        if path.split(".")[0] not in _FIELDS:
            known = ", ".join(sorted(_FIELDS))
            raise InvalidModel(f"{path} is no field of a Model: write {TIMEOUT}, or a path that begins with {known}.")
        level = spec
        for part in filter(None, above.split(".")):
            level = level.setdefault(part, {})
            if not isinstance(level, dict):
                raise InvalidModel(f"{path} is a part of what another option gives as a whole: leave one of them out.")
        level[last] = _value(path, value)
    return DeploymentConfig(spec, patience)


def checked(spec: Mapping[str, Any]) -> None:
    """Raises InvalidModel, with the field's name, for a spec that the API server would not take."""
    try:
        ModelSpec.model_validate(spec)
    except ValidationError as bad:
        first = bad.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the spec"
        raise InvalidModel(f"{field}: {first['msg'].removeprefix('Value error, ')}.") from bad


def merged(spec: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """The spec after a JSON merge patch with `change`."""
    result = dict(spec)
    for name, value in change.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            before = result.get(name)
            result[name] = merged(before if isinstance(before, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def _value(path: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value)
    except yaml.YAMLError as bad:
        raise InvalidModel(f"{path}={value} cannot be read as YAML: put texts with signs in quotes.") from bad


def _span(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        pass
    try:
        return seconds(TypeAdapter(Duration).validate_python(value))
    except ValidationError:
        raise InvalidModel(f"{TIMEOUT}={value} is no duration: write 90s, 30m, or 0 to wait for nothing.") from None
