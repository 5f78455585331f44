"""What people do with MLflow, over its REST API: log a model, register it, set an alias, delete."""

from typing import Any

import httpx
import yaml

from tests.support.artifacts.onnx_models import doubling

_ONNX = {"onnx": {"data": "model.onnx"}, "python_function": {"loader_module": "mlflow.onnx"}}


def onnx_files(proto: Any = None, flavors: Any = None) -> dict[str, bytes]:
    """The files of a logged ONNX model, doubling by default."""
    described = {"flavors": _ONNX if flavors is None else flavors}
    return {"MLmodel": yaml.safe_dump(described).encode(), "model.onnx": (proto or doubling()).SerializeToString()}


class MlflowUser:
    """Somebody who uses the MLflow server at `url`, perhaps with a user's name and password."""

    def __init__(self, url: str, login: tuple[str, str] | None = None) -> None:
        self.url = url
        self._http = httpx.Client(timeout=60, trust_env=False, verify=False, auth=login)  # it asks this machine

    def register(
        self, name: str, files: dict[str, bytes] | None = None, metrics: dict[str, float] | None = None
    ) -> str:
        """Logs a model and registers it as the next version of `name`, which is returned."""
        self._post("registered-models/create", {"name": name}, may_fail=True)
        run = self._post("runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
        for key, value in (metrics or {}).items():
            self._post("runs/log-metric", {"run_id": run, "key": key, "value": value, "timestamp": 1, "step": 0})
        logged = self._post("logged-models", {"experiment_id": "0", "name": "model", "source_run_id": run})["model"][
            "info"
        ]
        place = logged["artifact_uri"].removeprefix("mlflow-artifacts:").strip("/")
        for file, content in (onnx_files() if files is None else files).items():
            address = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{place}/{file}"
            assert self._http.put(address, content=content).is_success
        model_id = logged["model_id"]
        done = {"model_id": model_id, "status": "LOGGED_MODEL_READY"}
        self._call("PATCH", f"logged-models/{model_id}", done)
        version = {"name": name, "source": f"models:/{model_id}", "run_id": run, "model_id": model_id}
        return str(self._post("model-versions/create", version)["model_version"]["version"])

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Points an alias at a version."""
        self._post("registered-models/alias", {"name": name, "alias": alias, "version": version})

    def delete_alias(self, name: str, alias: str) -> None:
        """Takes an alias away."""
        self._call("DELETE", "registered-models/alias", {"name": name, "alias": alias})

    def delete_version(self, name: str, version: str) -> None:
        """Deletes a version, and with it the aliases that point at it."""
        self._call("DELETE", "model-versions/delete", {"name": name, "version": version})

    def delete_model(self, name: str) -> None:
        """Deletes a registered model with all of its versions."""
        self._call("DELETE", "registered-models/delete", {"name": name})

    def tags(self, name: str, version: str) -> dict[str, str]:
        """Tags of a version."""
        found = self._get("model-versions/get", {"name": name, "version": version})["model_version"]
        return {tag["key"]: tag["value"] for tag in found.get("tags", [])}

    def set_tag(self, name: str, version: str, key: str, value: str) -> None:
        """Writes a tag of a version."""
        self._post("model-versions/set-tag", {"name": name, "version": version, "key": key, "value": value})

    def aliases(self, name: str) -> dict[str, str]:
        """Versions by alias."""
        found = self._get("registered-models/get", {"name": name})["registered_model"]
        return {alias["alias"]: alias["version"] for alias in found.get("aliases", [])}

    def _post(self, call: str, content: dict[str, Any], may_fail: bool = False) -> dict[str, Any]:
        return self._call("POST", call, content, may_fail)

    def _get(self, call: str, params: dict[str, Any]) -> dict[str, Any]:
        answer = self._http.get(f"{self.url}/api/2.0/mlflow/{call}", params=params)
        assert answer.is_success, answer.text
        return answer.json()

    def _call(self, method: str, call: str, content: dict[str, Any], may_fail: bool = False) -> dict[str, Any]:
        address = f"{self.url}/api/2.0/mlflow/{call}"
        answer = self._http.request(method, address, json=content)
        assert may_fail or answer.is_success, answer.text
        return answer.json() if answer.is_success else {}
