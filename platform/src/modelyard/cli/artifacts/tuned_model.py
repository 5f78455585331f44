"""A copy of what a Model serves, to be tuned on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from modelyard.api.model import Model
    from modelyard.builder.tuning.bench import LatencyTarget
    from modelyard.core.storage.object_store import Store


def read_model(name: str, namespace: str) -> "Model":
    """The Model of that name, in the namespace of the kubeconfig's context when none is given."""
    from modelyard.api.model import Model
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.context import current_namespace
    from modelyard.clients.cluster.models import read

    return Model.of(read(Cluster(access()), namespace or current_namespace(), name)[0])


def own_objective(model: "Model") -> "LatencyTarget | None":
    """What `spec.slo.latency` promises; None without it."""
    from modelyard.api.quantity import seconds
    from modelyard.builder.tuning.bench import LatencyTarget

    latency = model.spec.slo.latency if model.spec.slo else None
    return LatencyTarget(latency.percentile, seconds(latency.threshold)) if latency else None


def served_digest(model: "Model") -> str:
    """Digest of the build that holds the traffic; raises InvalidModel when there is none."""
    from modelyard.errors import InvalidModel

    digests = [revision.digest for revision in model.status.revisions if revision.name == model.status.revision]
    if not digests:
        raise InvalidModel(f"{model.name} in namespace {model.namespace} serves nothing yet: wait until it is ready.")
    return digests[0]


def fetch_artifact(store: "Store", digest: str, folder: Path) -> None:
    """Puts a build of the store into a folder, as `modelyard build` would leave it, the report last.

    Raises CorruptEntry when it is not complete in the store.
    """
    from modelyard.api.report import Report
    from modelyard.builder.artifacts.assemble import REPORT, REPOSITORY, WARMUP
    from modelyard.core.storage.keys import build_report, build_repository, build_warmup
    from modelyard.errors import CorruptEntry

    report, warmup = store.get(build_report(digest)), store.get(build_warmup(digest))
    if report is None or warmup is None:
        raise CorruptEntry(f"build {digest} is not in the store: build the entry again.")
    for file in Report.model_validate_json(report).files:
        target = folder / REPOSITORY / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        store.download(build_repository(digest) + file.path, target)
    (folder / WARMUP).write_bytes(warmup)
    (folder / REPORT).write_bytes(report)


def stub_python(folder: Path, trusted: bool) -> str | None:
    """The Python that the Triton for an artifact needs; None where any does.

    Raises InvalidEntry when the artifact is of a Python model and nobody has said that it may run here.
    """
    from modelyard.builder.python_models.folder import SERVED_MODEL, require_trust
    from modelyard.builder.python_models.packing import PYTHON
    from modelyard.builder.tuning.tuned_artifact import read_report

    report = read_report(folder)
    if not any(file.path.endswith(f"/{SERVED_MODEL}") for file in report.files):
        return None
    require_trust(report.model, trusted)
    return PYTHON
