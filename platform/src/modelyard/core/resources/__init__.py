"""The objects a Model should have, each built by a pure function: serving, routing, building, scaling.

`owned_object` gives every object the same frame: labels by which we watch it, the Model as its owner, and a
digest of what was desired, by which a change of the spec is told from somebody else's edit.
"""

from typing import Any

from modelyard.api.model import API_VERSION, KIND, Model
from modelyard.core.kinds import BY_NAME
from modelyard.core.names import DESIRED_ANNOTATION, MANAGED_BY, MODEL_LABEL, sha256_hex


def owned_object(
    model: Model,
    kind: str,
    name: str,
    body: dict[str, Any],
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A manifest in the Model's namespace, owned by the Model, with the digest of itself.

    `body` is what comes beside apiVersion, kind and metadata: `spec`, `data`. Raises KeyError for a kind that is not in
    `core.kinds`.
    """
    owner = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": model.name,
        "uid": model.metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {
        "name": name,
        "namespace": model.namespace,
        "labels": {MODEL_LABEL: model.name, **MANAGED_BY, **(labels or {})},
        "annotations": annotations or {},
        "ownerReferences": [owner],
    }
    return with_spec_hash({"apiVersion": BY_NAME[kind].api_version, "kind": kind, "metadata": metadata, **body})


def with_spec_hash(desired: dict[str, Any]) -> dict[str, Any]:
    """The same manifest with 16 hex digits of its own digest in the annotation `DESIRED_ANNOTATION`."""
    metadata = desired["metadata"]
    annotations = {**metadata.get("annotations", {}), DESIRED_ANNOTATION: sha256_hex(desired)[:16]}
    return {**desired, "metadata": {**metadata, "annotations": annotations}}
