"""Names, labels and digests: the one place that says what things are called.

Lengths add up for a Model name of 40 characters: `<model>-<hash10>` is 51, its Service
`<model>-<hash10>-predictor` is 61 of the 63 a DNS label may have; KServe adds the namespace (`revision_name`).
Children other than revisions use `--`, which Model names may not contain, so no two Models can ask for the same child.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

MODEL_LABEL = "modelyard.dev/model"
REVISION_LABEL = "modelyard.dev/revision"
RECORDED_LABEL = "modelyard.dev/recorded"
"""On the routes whose requests are recorded: the gateway's policy finds them by it."""
BUILD_LABEL = "modelyard.dev/build"
CHECK_LABEL = "modelyard.dev/check"
RETRAIN_LABEL = "modelyard.dev/retraining"
"""On the Job of a retraining: its run."""
SLICE_MANAGER_LABEL = "endpointslice.kubernetes.io/managed-by"
NAMESPACE_LABEL = "modelyard.dev/namespace"
MANAGED_BY = {"app.kubernetes.io/managed-by": "modelyard"}
DESIRED_ANNOTATION = "modelyard.dev/desired"
RESTARTED_ANNOTATION = "modelyard.dev/restarted-at"
REASON_ANNOTATION = "modelyard.dev/reason"
"""Why the spec is as it is: whoever changes it may say so, and the history of rollouts keeps it."""
CHANGED_BY_ANNOTATION = "modelyard.dev/changed-by"
CHANGED_TO_ANNOTATION = "modelyard.dev/changed-to"
"""The version that the two above are about; they say nothing of another one, to which nobody has given a reason."""
ADOPT_MARK = "modelyard.dev/adopt"
_SAMPLED = "--sampled"
REVISION_HEADER = "x-modelyard-revision"
BACKEND_HEADER = "x-modelyard-backend"
"""`<namespace>/<revision>`, set by the gateway on requests that may have to wait for the revision's first pod."""
SAMPLE_HEADER = "x-modelyard-sample"
"""On answers to recorded requests: one of how many requests was recorded."""
LOAD_TEST_HEADER = "x-modelyard-load-test"
FIELD_MANAGER = "modelyard"
MAX_NAMESPACE = 40
"""Longest namespace in which one letter of a Model's name is left in KServe's host label of 63 characters."""
BUILD_FORMAT = 1
"""Counts up when builders write artifacts differently; part of every build digest."""


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text. Raises TypeError for what JSON cannot hold."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(value: Any) -> str:
    """The 64 hex digits of SHA-256 over the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def build_digest(entry_digest: str, model: str, options: Mapping[str, Any]) -> str:
    """`sha256:<hex>` of a build: the same entry digest, Triton model name and options always give the same."""
    return _build_digest(entry_digest, model, canonical_json(dict(options)))


@lru_cache(maxsize=256)  # one pass asks for the same few again and again
def _build_digest(entry_digest: str, model: str, options: str) -> str:
    build = {"entry": entry_digest, "model": model, "options": json.loads(options), "format": BUILD_FORMAT}
    return "sha256:" + sha256_hex(build)


def bare(digest: str) -> str:
    """The hex of a `sha256:<hex>` digest, as used in object keys and names."""
    return digest.removeprefix("sha256:")


def build_label(digest: str) -> str:
    """Value of `BUILD_LABEL` for a build: the first 16 hex digits of its digest, enough to tell it from others."""
    return bare(digest)[:16]


def job_name(digest: str) -> str:
    """Name of the Job that makes a build."""
    return f"build-{build_label(digest)}"


def optimize_job_name(digest: str) -> str:
    """Name of the Job that makes an optimized build."""
    return f"optimize-{build_label(digest)}"


def check_job_name(gate: str, namespace: str, model: str, revision: str) -> str:
    """Name of the Job that answers one gate's question about a revision; another revision, another name."""
    return f"check-{gate.lower()}-{sha256_hex([gate, namespace, model, revision])[:16]}"


def retrain_job_name(namespace: str, model: str, run: str) -> str:
    """Name of the Job of one retraining."""
    return f"retrain-{sha256_hex([namespace, model, run])[:16]}"


def revision_name(model: str, namespace: str, **serving: Any) -> str:
    """`<model>-<hash10>`; the hash is over `serving`, that is, over everything that affects serving.

    In a long namespace the model's part is shortened, so that KServe's host label `<revision>-predictor-<namespace>`
    is one; the hash tells such revisions apart, because a build's digest is of the model's whole name.
    """
    left = max(1, MAX_NAMESPACE + 1 - len(namespace))
    return f"{model[:left].rstrip('-')}-{sha256_hex(serving)[:10]}"


def predictor(revision: str) -> str:
    """Name of the Deployment and Service KServe makes for a revision."""
    return f"{revision}-predictor"


def secret_name(model: str) -> str:
    """Secret with the read-only store credentials of one Model."""
    return f"{model}--store"


def service_account_name(model: str) -> str:
    """ServiceAccount of the pods of one Model."""
    return f"{model}--serving"


def path_route_name(model: str) -> str:
    """HTTPRoute of the path form."""
    return f"{model}--path"


def sampled_route_name(model: str) -> str:
    """HTTPRoute and GRPCRoute of the requests that are recorded; they are there only while some are."""
    return f"{model}{_SAMPLED}"


def sampled_path_route_name(model: str) -> str:
    """HTTPRoute of the recorded requests in the path form."""
    return f"{model}{_SAMPLED}-path"


def recorded_grant_name(model: str) -> str:
    """ReferenceGrant that lets the platform's policy have the routes of recorded requests."""
    return f"{model}--recorded"


def model_routes(model: str) -> tuple[str, ...]:
    """All routes whose requests the Model's revisions answer in earnest: by host and by path, recorded or not."""
    return tuple(dict.fromkeys(name for _, name in (*main_routes(model), *sampled_routes(model))))


def main_routes(model: str) -> tuple[tuple[str, str], ...]:
    """Kind and name of the routes that a Model always has."""
    return ("HTTPRoute", model), ("HTTPRoute", path_route_name(model)), ("GRPCRoute", model)


def sampled_routes(model: str) -> tuple[tuple[str, str], ...]:
    """Kind and name of the routes of requests that are recorded."""
    name = sampled_route_name(model)
    return ("HTTPRoute", name), ("HTTPRoute", sampled_path_route_name(model)), ("GRPCRoute", name)


def model_of_sampled_route(route: str) -> str:
    """The Model whose recorded requests a route takes; empty for every other route."""
    model, _, rest = route.rpartition(_SAMPLED)
    return model if rest in ("", "-path") else ""


def preview_route_name(model: str) -> str:
    """HTTPRoute and GRPCRoute of the preview; they are there only while a candidate is previewed."""
    return f"{model}--preview"


def sticky_policy_name(model: str) -> str:
    """BackendTrafficPolicy of an A/B test whose users are named by a header; there only while it runs."""
    return f"{model}--sticky"


def patience_name(model: str) -> str:
    """BackendTrafficPolicy of all of a Model's routes: how long its requests may wait, of how many there is a trace."""
    return f"{model}--patience"


def holding_name(revision: str, family: str) -> str:
    """EndpointSlice that lists the holders of that family of addresses (IPv4, IPv6) for a revision."""
    return f"{revision}--held-{family.lower()}"


def experiment(revisions: Sequence[str]) -> str:
    """Short name (10 hex digits) of an A/B test between these revisions; another pair, another name."""
    return sha256_hex(list(revisions))[:10]


def host(model: str, namespace: str, domain: str) -> str:
    """Host name at which a Model is published."""
    return f"{model}.{namespace}.{domain}"


def preview_host(model: str, namespace: str, domain: str) -> str:
    """Host name at which the candidate of a Model answers while it is previewed."""
    return host(f"{model}--preview", namespace, domain)
