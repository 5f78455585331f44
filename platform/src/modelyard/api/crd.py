"""Types -> CustomResourceDefinition: the pydantic types of `model.py` as a structural schema.

What pydantic writes is JSON Schema; what the API server takes is narrower. On the way
* references are put in their places, titles go, `X or null` becomes an optional X, enums of one type stay and a
  constant becomes an enum of one;
* `additionalProperties: false` goes: the API server prunes or, with strict field validation, refuses
  unknown fields by itself;
* where a CEL rule stands beside a pattern or a bound, the rule alone stays, because its message says what
  to write and the other's is a regular expression;
* defaults stay in the spec (they are written into the object, so that a later default changes no Model that
  exists) and go from the status, which the operator writes in full, and from what is in lists: an item that the API
  server completed differs from the one in the file for ever, and whoever applies the file again changes it;
* the status stays open at every depth, to other fields and other words: another version of the operator may write it
  before this definition is replaced, or after it was rolled back.

`template` is the chart's file; `make generate` writes it.
"""

from typing import Any

import yaml
from pydantic import BaseModel

from .model import GROUP, KIND, MAX_NAME, VERSION, ModelSpec
from .quantity import MODEL_NAME
from .shape import cel
from .status import ModelStatus

PLURAL = "models"
HEADER = "# Generated from platform/src/modelyard/api by `make generate`; `make verify` fails when they differ.\n"
ANNOTATIONS = {"helm.sh/resource-policy": "keep"}
_REPLACED_BY_RULES = ("pattern", "minimum", "maximum", "minLength")
_KEPT = {
    "type", "description", "default", "enum", "format", "items", "properties", "additionalProperties", "required",
    "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
    "maxProperties", "x-kubernetes-validations", "x-kubernetes-int-or-string", "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys", "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip

COLUMNS = (
    (
        "Ready",
        "string",
        '.status.conditions[?(@.type=="Ready")].status',
        "Whether users are served; a rollout under way does not change that.",
    ),
    ("Version", "string", ".status.version", "Version of the entry that holds the traffic."),
    ("Traffic", "string", ".status.traffic", "Traffic of the serving revision, and of the other when there is one."),
    ("Replicas", "integer", ".status.replicas", "Replicas of the serving revision."),
    ("Rollout", "string", ".status.rollout.phase", "Where the rollout stands; Idle when none is under way."),
    (
        "Optimized",
        "string",
        ".status.optimization.summary",
        "The variant that was chosen and what it gave; 4/9 while variants are tried.",
    ),
    ("URL", "string", ".status.url", "Where HTTP requests go."),
    ("Age", "date", ".metadata.creationTimestamp", "Time since the Model was made."),
)
WIDE = (
    ("Revision", "string", ".status.revision", "Revision that holds the traffic."),
    ("Candidate", "string", ".status.rollout.candidate", "Revision that is tried."),
    ("Weight", "integer", ".status.rollout.weight", "Share the candidate is to have, in percent."),
    ("Why", "string", ".status.rollout.reason", "Why the rollout stands where it does."),
    ("Cost", "number", ".status.cost.perThousand", "What 1,000 requests cost, by config.prices."),
    ("Idle", "number", ".status.cost.idleShare", "Share of what is reserved that nobody needed."),
)
"""Columns of `kubectl get models -o wide` behind those of COLUMNS."""

SCALE = {
    "specReplicasPath": ".spec.serving.replicas",
    "statusReplicasPath": ".status.replicas",
    "labelSelectorPath": ".status.selector",
}
"""Where `kubectl scale`, a HorizontalPodAutoscaler and KEDA read and write the number of replicas.

The API server answers for a Model only when the first is there, so it has a default."""

_LETTERS = (
    "the name of a Model starts with a lower-case letter, goes on with lower-case letters, digits and dashes, "
    "and ends with a letter or digit: write digits-v2, not 2digits or digits.v2"
)
NAME_RULES = [
    rule | {"fieldPath": ".metadata.name"}
    for rule in (
        cel(
            f"self.metadata.name.size() <= {MAX_NAME}",
            f"the name of a Model has at most {MAX_NAME} characters: shorten it",
        ),
        cel("!self.metadata.name.contains('--')", "the name of a Model has no two dashes in a row: write one dash"),
        cel(f"self.metadata.name.matches('{MODEL_NAME}')", _LETTERS),
    )
]


def structural(kind: type[BaseModel]) -> dict[str, Any]:
    """The structural schema (OpenAPI v3, as plain values) of a pydantic type.

    Raises ValueError when the type needs something that a CRD cannot express, such as a field of two types.
    """
    schema = kind.model_json_schema(by_alias=True)
    return _node(schema, schema.get("$defs", {}))


def _node(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    node = _merged(schema, definitions)
    unknown = {key for key in node if key not in _KEPT | {"title", "$defs", "propertyNames"}}
    if unknown:
        raise ValueError(f"a CRD cannot say {', '.join(sorted(unknown))} (in {node.get('title', 'a field')})")
    result = {key: value for key, value in node.items() if key in _KEPT}
    if "properties" in result:
        result["properties"] = {name: _node(child, definitions) for name, child in result["properties"].items()}
    if "items" in result:
        result["items"] = without_defaults(_node(result["items"], definitions))
    return _tidied(result, definitions)


def _merged(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The node with references and the null of an optional field resolved; the field's own keys win."""
    node = dict(schema)
    if "anyOf" in node:
        options = [option for option in node.pop("anyOf") if option != {"type": "null"}]
        if len(options) != 1:
            raise ValueError("a field of a Model has one type; use x-kubernetes-int-or-string for numbers or text")
        node = _merged(options[0], definitions) | node
    if "$ref" in node:
        node = _merged(definitions[node.pop("$ref").rsplit("/", 1)[1]], definitions) | node
    if "const" in node:
        node["enum"] = [node.pop("const")]
    return node


def _tidied(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    extra = node.pop("additionalProperties", False)
    if isinstance(extra, dict):
        node["additionalProperties"] = _node(extra, definitions)
    if node.get("x-kubernetes-validations") and node.get("type") != "object":
        for key in _REPLACED_BY_RULES:
            node.pop(key, None)
    if node.get("type") == "integer":
        node["format"] = "int32" if "maximum" in node else "int64"
    if node.get("type") == "number":
        node["format"] = "double"
    if isinstance(node.get("default"), dict):
        node["default"] = {key: value for key, value in node["default"].items() if value is not None}
    if node.get("default", 0) is None:
        del node["default"]
    return node


def without_defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """A copy of the schema without any `default`."""
    plain = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in plain:
        plain["properties"] = {name: without_defaults(child) for name, child in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = without_defaults(plain["items"])
    return plain


def opened(schema: dict[str, Any]) -> dict[str, Any]:
    """A copy of the schema whose objects keep fields it does not name and need none but those a list is keyed by.

    Words are not limited to a list either.
    """
    plain = {key: value for key, value in schema.items() if key not in ("enum", "required")}
    if plain.get("type") == "object":
        plain["x-kubernetes-preserve-unknown-fields"] = True
    if "properties" in plain:
        plain["properties"] = {name: opened(child) for name, child in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = opened(plain["items"])
    if "x-kubernetes-list-map-keys" in plain:
        plain["items"]["required"] = plain["x-kubernetes-list-map-keys"]
    return plain


def model_crd() -> dict[str, Any]:
    """The CustomResourceDefinition of Model, as the plain values of its manifest."""
    root = {
        "type": "object",
        "description": "A Model serves one registry entry over HTTP and gRPC, in revisions that never change.",
        "required": ["spec"],
        "x-kubernetes-validations": NAME_RULES,
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
            "kind": {"type": "string", "description": f"{KIND}."},
            "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": structural(ModelSpec),
            "status": opened(without_defaults(structural(ModelStatus))),
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}", "annotations": ANNOTATIONS},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["mdl"],
                "categories": ["modelyard"],
            },
            "versions": [_version(root)],
        },
    }


def _version(root: dict[str, Any]) -> dict[str, Any]:
    columns = [{"name": n, "type": t, "jsonPath": p, "description": d} for n, t, p, d in COLUMNS]
    columns += [{"name": n, "type": t, "jsonPath": p, "description": d, "priority": 1} for n, t, p, d in WIDE]
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}, "scale": SCALE},
        "additionalPrinterColumns": columns,
        "schema": {"openAPIV3Schema": root},
    }


class _Plain(yaml.SafeDumper):
    """YAML without anchors: every object is written where it is read."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def template() -> str:
    """The chart's file `crd-models.yaml`; raises ValueError when Helm would take a part of it for a template."""
    text = yaml.dump(model_crd(), Dumper=_Plain, sort_keys=False, width=110, allow_unicode=True)
    if "{{" in text:
        raise ValueError("a description or rule contains {{, which Helm reads as a template: word it differently")
    return HEADER + text
