"""Models of one namespace, as MLflow's deployments.

A deployment is created or changed by one write, like every Model; then its rollout is followed to its end, as
`modelyard rollout watch` does it, so that a canary that was refused is an error and not a deployment.
"""

from collections.abc import Mapping
from typing import Any

from modelyard.api.model import API_VERSION, KIND, Model
from modelyard.cli.rollout.polling import views
from modelyard.cli.rollout.view import RolloutView
from modelyard.cli.rollout.watch import follow
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.models import read
from modelyard.core.snapshot import Ref
from modelyard.errors import Conflict, DeadlineExceeded, InvalidModel, UserError

from .model_spec import DeploymentConfig, checked, config_of, known_flavor, merged, source_of

FLAVOR = "onnx"


class ModelDeployments:
    """Deployments in one namespace. Methods raise ModelyardError."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster, self._namespace = cluster, namespace

    def create(
        self, name: str, model_uri: str, flavor: str | None = None, config: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Makes a Model and waits until it serves. Raises Conflict when there is one of that name."""
        known_flavor(flavor)
        asked = config_of(config)
        spec = {**asked.spec, "source": source_of(model_uri)}
        checked(spec)
        metadata = {"name": name, "namespace": self._namespace}
        try:
            self._cluster.create({"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata, "spec": spec})
        except Conflict as bad:
            where = f"in namespace {self._namespace}"
            raise Conflict(f"there is a Model {name} {where} already: update it, or take another name.") from bad
        return self._settled(name, asked, spec["source"])

    def update(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Changes a Model, whose own rollout decides, and waits for the end of that."""
        known_flavor(flavor)
        asked = config_of(config)
        change: dict[str, Any] = dict(asked.spec)
        if model_uri is not None:
            change["source"] = {"version": None, "alias": None, **source_of(model_uri)}
        if not change:
            raise InvalidModel(f"nothing is said to change of {name}: give a model URI, or fields with -C.")
        before = read(self._cluster, self._namespace, name)[0]
        checked(merged(before["spec"], change))
        written = self._cluster.merge(self._ref(name), {"metadata": {"uid": before["metadata"]["uid"]}, "spec": change})
        if written is None:
            raise InvalidModel(f"there is no Model {name} in namespace {self._namespace} any more: create it.")
        return self._settled(name, asked, change.get("source", {}))

    def delete(self, name: str) -> None:
        """Deletes a Model and what serves it; one that is not there is deleted already."""
        self._cluster.delete(self._ref(name))

    def every(self) -> list[dict[str, Any]]:
        """All Models of the namespace, wherever their entries come from."""
        return [described(Model.of(document)) for document in read(self._cluster, self._namespace, "")]

    def one(self, name: str) -> dict[str, Any]:
        """One Model; InvalidModel when there is none of that name."""
        return described(Model.of(read(self._cluster, self._namespace, name)[0]))

    def _settled(self, name: str, asked: DeploymentConfig, source: Mapping[str, Any]) -> dict[str, Any]:
        if asked.patience > 0:
            observed = views(self._cluster, self._namespace, name, asked.patience)
            ended = follow(observed, _Unseen(), source.get("version") or "")
            if ended is None:
                raise DeadlineExceeded(
                    f"{name} is not through after {asked.patience:g} s, and goes on: `modelyard rollout watch {name} "
                    f"-n {self._namespace}` follows it; -C timeout=1h waits longer."
                )
            if ended.code:
                raise UserError(ended.sentence)
        return self.one(name)

    def _ref(self, name: str) -> Ref:
        return Ref(KIND, self._namespace, name)


class _Unseen:
    """A rollout that nobody looks at while it is followed."""

    def show(self, rollout_view: RolloutView) -> None: ...


def described(model: Model) -> dict[str, Any]:
    """A Model as MLflow shows a deployment: plain values by name."""
    ready, status = model.status.condition("Ready"), model.status
    return {
        "name": model.name,
        "namespace": model.namespace,
        "flavor": FLAVOR,
        "source": str(model.spec.source),
        "registry": str(model.spec.source.registry or "bucket"),
        "version": status.version,
        "ready": ready is not None and ready.status == "True",
        "message": "" if ready is None else ready.message,
        "url": status.path_url or status.url,
    }
