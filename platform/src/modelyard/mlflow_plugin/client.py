"""MLflow's deployment client for the target `modelyard`: a name, or `modelyard:/NAMESPACE`.

MLflow finds it by the entry point of the group `mlflow.deployments`, and wants one class and two functions here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlflow.deployments import BaseDeploymentClient  # pyright: ignore[reportMissingImports] - in MLflow's own Python
from mlflow.exceptions import MlflowException  # pyright: ignore[reportMissingImports]
from mlflow.protos import databricks_pb2 as codes  # pyright: ignore[reportMissingImports]

from modelyard.errors import Conflict, ModelyardError, OutsideError, Refused

if TYPE_CHECKING:
    from .deployments import ModelDeployments

_HELP = """\
A deployment is a Model of Modelyard in the cluster of your kubeconfig.

  target          modelyard              the namespace of the kubeconfig's context
                  modelyard:/NAMESPACE   that namespace
  model URI       models:/NAME/VERSION or models:/NAME@ALIAS, a model of the platform's own MLflow that is ONNX or
                  becomes it; of an alias every version is followed, by the Model's rollout
  -C timeout=30m  how long to wait for the rollout (10 minutes); 0 waits for nothing
  -C FIELD=YAML   a field of the Model's spec by its path:
                  -C rollout.strategy=Canary -C scaling.maxReplicas=4 -C 'slo={errorRate: 1%}'
"""


def run_local(name: str, model_uri: str, flavor: str | None = None, config: dict[str, Any] | None = None) -> None:
    """Not offered: a Model needs a cluster."""
    raise MlflowException(
        f"{name} is not served on this machine by MLflow: `modelyard mlflow sync` brings the model in, and `modelyard "
        "serve NAME:VERSION` serves it here.",
        error_code=codes.NOT_IMPLEMENTED,
    )


def target_help() -> str:
    """What `mlflow deployments help -t modelyard` prints."""
    return _HELP


class ModelyardDeploymentClient(BaseDeploymentClient):
    """Deployments as Models; see `target_help`. Every failure is an MlflowException with the sentence that mends it."""

    def create_deployment(
        self,
        name: str,
        model_uri: str,
        flavor: str | None = None,
        config: dict[str, Any] | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Makes a Model and returns once it serves."""
        with self._deployments(endpoint) as deployments:
            return deployments.create(name, model_uri, flavor, config)

    def update_deployment(
        self,
        name: str,
        model_uri: str | None = None,
        flavor: str | None = None,
        config: dict[str, Any] | None = None,
        endpoint: str | None = None,
    ) -> dict[str, Any]:
        """Changes a Model and returns once its rollout has promoted the change."""
        with self._deployments(endpoint) as deployments:
            return deployments.update(name, model_uri, flavor, config)

    def delete_deployment(self, name: str, config: dict[str, Any] | None = None, endpoint: str | None = None) -> None:
        """Deletes a Model."""
        with self._deployments(endpoint) as deployments:
            deployments.delete(name)

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """The Models of the namespace."""
        with self._deployments(endpoint) as deployments:
            return deployments.every()

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """One Model."""
        with self._deployments(endpoint) as deployments:
            return deployments.one(name)

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Outputs in the kind the inputs came in, a DataFrame for a DataFrame; by `modelyard.Client`."""
        from modelyard import Client

        with self._told(endpoint), Client.from_cluster(self._namespace()) as client:
            return client.predict(deployment_name or "", inputs)

    @contextmanager
    def _deployments(self, endpoint: str | None) -> "Iterator[ModelDeployments]":
        with self._told(endpoint):
            from modelyard.clients.cluster.access import access
            from modelyard.clients.cluster.api_server import Cluster
            from modelyard.clients.cluster.context import current_namespace

            from .deployments import ModelDeployments

            yield ModelDeployments(Cluster(access()), self._namespace() or current_namespace())

    def _namespace(self) -> str:
        parts = urlsplit(self.target_uri)
        return parts.path.strip("/") if parts.scheme else ""

    @contextmanager
    def _told(self, endpoint: str | None) -> Iterator[None]:
        """Every failure as MLflow wants it."""
        if endpoint is not None:
            raise MlflowException(
                f"Modelyard has no endpoints beside its Models: leave {endpoint} out.",
                error_code=codes.INVALID_PARAMETER_VALUE,
            )
        try:
            yield
        except ModelyardError as bad:
            raise MlflowException(str(bad), error_code=_code(bad)) from bad
        except ModuleNotFoundError as missing:
            said = f"the target modelyard needs the package {missing.name}: pip install 'modelyard[cli]'."
            raise MlflowException(said, error_code=codes.INVALID_STATE) from missing


def _code(failure: ModelyardError) -> int:
    """MLflow's code for a failure: what the caller can mend, what was refused, and what may pass."""
    if isinstance(failure, Conflict):
        return codes.RESOURCE_ALREADY_EXISTS
    if isinstance(failure, Refused):
        return codes.PERMISSION_DENIED
    return codes.TEMPORARILY_UNAVAILABLE if isinstance(failure, OutsideError) else codes.INVALID_PARAMETER_VALUE
