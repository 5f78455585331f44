"""Models made from the definition's own schema: right ones, nearly right ones and hostile ones, the same by their seed.

Every field of the schema is filled now and then, with what it takes, with its neighbours' values, or with what somebody
who wants to break a platform writes: huge texts and lists, other types, control characters, numbers without end.
"""

import random
from collections.abc import Mapping
from functools import cache
from typing import Any

from modelyard.api.crd import model_crd

_TEXTS = (
    "1", "2", "digits", "champion", "99.9%", "0%", "100ms", "0s", "1e3", "0.5", "500m", "1Gi", "5", "", " ", "-1",
    "None", "null", "..", "../../etc/passwd", "${PATH}", "{{ .Values }}", "a" * 64, "x" * 5000, "ä" * 300, "\u202e",
    "\x00", "\n", "'; drop", "9" * 400, "NaN", "Infinity", "-0", "0x10", "1_000", "٣", "🦀" * 50, "a.b/c", "true",
)  # fmt: skip
_NUMBERS = (0, 1, -1, 2, 10, 50, 99, 100, 101, 1000, 2**31, 2**63, -(2**63), 0.1, 99.99, 1e300, -1e-300)
_ODD = (None, True, [], {}, [[]], {"a": {"b": {}}}, "text", 7, 0.5)
_DEEP = 40


@cache
def _spec_schema() -> dict[str, Any]:
    schema = model_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema["properties"]["spec"]


class ModelGenerator:
    """Specs of one seed; `strange` is how often, 0 to 1, a value is not of the kind its field takes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._spec = _spec_schema()
        self._strange = self._random.choice((0.0, 0.0, 0.02, 0.15))

    def model(self) -> dict[str, Any]:
        """A whole Model, with a source that is mostly a good one."""
        spec = self._value(self._spec)
        if isinstance(spec, dict) and self._random.random() < 0.85:
            spec["source"] = {"name": "digits", "version": "1"}
        name = "digits" if self._random.random() < 0.8 else self._random.choice(_TEXTS)
        metadata: dict[str, Any] = {"name": name, "namespace": "demo"}
        return {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}

    def _value(self, schema: Mapping[str, Any]) -> Any:
        pick = self._random
        if pick.random() < self._strange:
            return pick.choice((*_ODD, self._nested(), ["x"] * 3000, {f"k{n}": n for n in range(2000)}))
        if "enum" in schema:
            return pick.choice(schema["enum"])
        match schema.get("type"):
            case "object" if "properties" in schema:
                return self._object(schema)
            case "object":
                inner = schema.get("additionalProperties") or {}
                keys = pick.sample(("cpu", "memory", "nvidia.com/gpu", "x" * 70, ""), pick.randint(0, 2))
                return {key: self._value(inner) if isinstance(inner, Mapping) else "1" for key in keys}
            case "array":
                return [self._value(schema["items"]) for _ in range(pick.choice((0, 1, 1, 2, 3, 25)))]
            case "boolean":
                return pick.random() < 0.5
            case "integer":
                low, high = schema.get("minimum", 0), schema.get("maximum", 100)
                return pick.choice((low, high, pick.randint(int(low), int(high)), int(pick.choice(_NUMBERS[:10]))))
            case "number":
                return pick.choice(_NUMBERS)
            case _:
                return self._text(schema)

    def _object(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        required = set(schema.get("required", ()))
        made = {
            name: self._value(inner)
            for name, inner in schema["properties"].items()
            if name in required or self._random.random() < 0.25
        }
        if self._random.random() < self._strange:
            made[self._random.choice(_TEXTS)] = self._random.choice(_ODD)
        return made

    def _text(self, schema: Mapping[str, Any]) -> str:
        """Mostly what the field's rule gives as an example, else anything."""
        rules = " ".join(rule["message"] for rule in schema.get("x-kubernetes-validations", ()))
        examples = [part for part in rules.split('"')[1::2] if len(part) <= schema.get("maxLength", 1000)]
        if examples and self._random.random() < 0.8:
            return self._random.choice(examples)
        return self._random.choice(_TEXTS)

    def _nested(self) -> dict[str, Any]:
        deep: dict[str, Any] = {}
        for _ in range(_DEEP):
            deep = {"a": deep}
        return deep
