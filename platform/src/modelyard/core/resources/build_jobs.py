"""The Jobs that make a build: the command a person would run, where the write credentials are.

They run in the platform's namespace. A user's mistake (exit code 2) ends a Job at once, and so does what the machine
did (75), because the builder has tried that three times already and the operator goes on (`job_retries`); anything else
is tried three times, an optimization four times. A Job belongs to the build, not to a Model: two namespaces that want
the same artifact share it. That of an optimization names the Model it was made for all the same, because it is long
and is to end when nobody waits for it any more; another Model that does makes it anew, and it goes on from what was
found before. A pod that was evicted does not count as a try.
"""

from collections.abc import Sequence
from typing import Any

from modelyard.api.model import Model
from modelyard.core.failure_causes import TRY_LATER
from modelyard.core.names import (
    BUILD_LABEL,
    MANAGED_BY,
    MODEL_LABEL,
    NAMESPACE_LABEL,
    build_label,
    canonical_json,
    job_name,
    optimize_job_name,
)
from modelyard.core.snapshot import ResolvedEntry
from modelyard.settings import Settings

from . import with_spec_hash
from .jobs import job_container, job_pod, with_build_key
from .training import FOLDER, with_trainer_sidecar

USER_ERROR = 2
_KEEP_SECONDS, _TUNING_SECONDS = 3600, 1800
_COST_TUNINGS = 6
"""Three variants, each on a small and a large replica, mostly."""
_STOP_AT_ONCE = {
    "action": "FailJob",
    "onExitCodes": {"containerName": "build", "operator": "In", "values": [USER_ERROR, TRY_LATER]},
}
Policies = Sequence[Sequence[str]]
"""Public keys in base64; of each policy one has to have signed."""
_GO_ON = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}


def job(
    model: str,
    entry: ResolvedEntry,
    digest: str,
    target: str,
    settings: Settings,
    policies: Policies | None = None,
) -> dict[str, Any]:
    """The Job that builds one entry under one Triton model name for a `target` (cpu, gpu); `digest` is the build's.

    With `policies`, even none, the build is signed, and the entry has to be as they say.
    """
    build = settings.build
    spec = {"backoffLimit": 2, "activeDeadlineSeconds": build.timeout_seconds}
    resources = {"requests": {"cpu": build.cpu, "memory": build.memory}, "limits": {"memory": build.memory_limit}}
    command = [*_command(model, entry, target), *_signing(policies)]
    work = {**job_container("build", command, settings), "resources": resources}
    pod = job_pod(work, settings)
    if policies is not None:
        pod = with_build_key(pod, settings)
    return _job(job_name(digest), digest, spec, [_STOP_AT_ONCE, _GO_ON], pod, {}, settings)


def optimize_job(
    model: Model,
    entry: ResolvedEntry,
    digest: str,
    target: str,
    settings: Settings,
    policies: Policies | None = None,
) -> dict[str, Any]:
    """The Job that makes the optimized build a Model asks for; `digest` is that build's, `target` cpu or gpu.

    Raises ValueError when the Model asks for none.
    """
    optimize, build, options = model.spec.optimize, settings.build, model.spec.build_options(target)
    if not options:
        raise ValueError(f"{model.name} asks for no optimization")
    budget = round(2 * optimize.budget_seconds) if optimize is not None else 0
    tunings = _COST_TUNINGS if optimize is not None and optimize.goal == "cost" else 1
    longest = budget + build.timeout_seconds + (tunings * _TUNING_SECONDS if "tune" in options else 0)
    command, environment = _command(model.name, entry, target), []
    for what, how in options.items():
        command += [f"--{what}"] if how is True else [f"--{what}", canonical_json(how)]
    command += _signing(policies)
    if tunings > 1:
        environment += _prices(settings)
    trains = optimize is not None and optimize.train
    if trains:
        longest += build.train_timeout_seconds
        command.append("--trust-code")
        environment.append({"name": "MODELYARD_TRAINER", "value": FOLDER})
    work = job_container("build", command, settings, environment)
    limits: dict[str, Any] = {"memory": build.optimize_memory_limit}
    if target == "gpu":
        limits["nvidia.com/gpu"] = 1
        work["image"] = build.gpu_image or build.image
    work["resources"] = {"requests": {"cpu": build.optimize_cpu, "memory": build.optimize_memory}, "limits": limits}
    owner = {MODEL_LABEL: model.name, NAMESPACE_LABEL: model.namespace}
    spec = {"backoffLimit": 3, "activeDeadlineSeconds": longest}
    pod = job_pod(work, settings)
    if policies is not None:
        pod = with_build_key(pod, settings)
    if trains:
        pod = with_trainer_sidecar(pod, build)
    return _job(optimize_job_name(digest), digest, spec, [_STOP_AT_ONCE, _GO_ON], pod, owner, settings)


def _prices(settings: Settings) -> list[dict[str, Any]]:
    """What resources cost, as settings of the builder; they change no digest, only what the report says."""
    written = settings.prices.model_dump() if settings.prices.known else {}
    return [{"name": f"MODELYARD_PRICES_{name.upper()}", "value": f"{price:g}"} for name, price in written.items()]


def _command(model: str, entry: ResolvedEntry, target: str) -> list[str]:
    trust = ["--trust-code"] if entry.python else []  # the Model says so, or nothing would be built
    called = f"{entry.name}:{entry.version}"
    return ["modelyard", "build", called, "--name", model, "--target", target, "--publish", *trust]


def _signing(policies: Policies | None) -> list[str]:
    """The options of a signed build; public keys may stand in a command."""
    if policies is None:
        return []
    return ["--sign", *(word for policy in policies for word in ("--verify", ",".join(policy)))]


def _job(
    name: str,
    digest: str,
    spec: dict[str, Any],
    rules: list[dict[str, Any]],
    pod: dict[str, Any],
    owner: dict[str, str],
    settings: Settings,
) -> dict[str, Any]:
    """The frame of both; pods do not carry the owner's labels, or they would pass for the Model's own."""
    labels = {BUILD_LABEL: build_label(digest), **MANAGED_BY, "app.kubernetes.io/name": "modelyard-builder"}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": settings.operator.namespace, "labels": {**labels, **owner}},
        "spec": {
            **spec,
            "ttlSecondsAfterFinished": _KEEP_SECONDS,
            "podFailurePolicy": {"rules": rules},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
    return with_spec_hash(body)
