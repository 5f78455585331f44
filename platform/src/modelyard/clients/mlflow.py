"""A client of MLflow's REST API (2.0, as MLflow 2 and 3 speak it): its registry, and files through its proxy.

Files are read where `get-download-uri` says and through the server (`mlflow-artifacts:`): since MLflow 3 a version's
`source` is `models:/m-<id>`, from which no path can be made. What MLflow answers is data of whoever may register
models: names are checked before they become paths.
"""

import math
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from modelyard.clients.deadline import left
from modelyard.core.storage.keys import is_safe_path
from modelyard.errors import InvalidEntry, InvalidSettings, Refused, Throttled, Unreachable
from modelyard.mlflow_settings import MlflowSettings

_API, _FILES = "/api/2.0/mlflow", "/api/2.0/mlflow-artifacts/artifacts"
_PAGE = 1000
_CONNECT, _READ = 3.0, 20.0
_CONNECTIONS = 16
_HOST_REFUSED = "Invalid Host header"
"""How MLflow begins to refuse, since 3.5, what is asked of it by a name that it was not told."""


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model: its name, when it was made (ms), versions by alias, and its newest versions."""

    name: str
    created: int = 0
    aliases: Mapping[str, str] = field(default_factory=dict)
    newest: str = ""


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model; `status` is READY once all of it is there."""

    version: str
    source: str
    run_id: str = ""
    status: str = "READY"
    tags: Mapping[str, str] = field(default_factory=dict)


class MlflowServer:
    """One MLflow server. Thread-safe. Methods raise Unreachable, Refused or Throttled."""

    def __init__(self, settings: MlflowSettings) -> None:
        if not settings.url:
            raise InvalidSettings("nothing says where MLflow is: set mlflow.url, or MODELYARD_MLFLOW_URL.")
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise InvalidSettings(
                "mlflow.url is no address without credentials in it: write one such as https://mlflow.example.com, "
                "and the credentials as mlflow.username and mlflow.password."
            )
        self.url = settings.url.rstrip("/")
        token = settings.token.get_secret_value()
        password = settings.password.get_secret_value()
        self._http = httpx.Client(
            base_url=self.url,
            auth=(settings.username, password) if settings.username else None,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            verify=_verified(settings.ca_file),
            timeout=httpx.Timeout(_READ, connect=_CONNECT),
            limits=httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS),
            trust_env=False,
        )

    def models(self) -> list[RegisteredModel]:
        """All registered models, a thousand a request."""
        return [_registered(row) for row in self._pages("registered-models/search", "registered_models")]

    def version(self, model: str, version: str) -> ModelVersion | None:
        """One version; None when there is none, as for every version that is no number."""
        if not (version.isascii() and version.isdigit()):
            return None
        found = self._ask("model-versions/get", {"name": model, "version": version})
        return None if found is None else _version(found.get("model_version") or {})

    def metrics(self, run_id: str) -> dict[str, float]:
        """The latest metrics of a run that are numbers; none of a run that is gone."""
        found = self._ask("runs/get", {"run_id": run_id}) or {}
        rows = ((found.get("run") or {}).get("data") or {}).get("metrics") or []
        numbers = {str(row.get("key")): row.get("value") for row in rows}
        return {key: float(value) for key, value in numbers.items() if _finite(value)}

    def folder(self, model: str, version: str) -> str:
        """Path of a version's files behind the server's proxy. Raises InvalidEntry when they lie elsewhere."""
        found = self._ask("model-versions/get-download-uri", {"name": model, "version": version}) or {}
        uri = str(found.get("artifact_uri") or "")
        parts = urlsplit(uri)
        path = parts.path.strip("/")
        if parts.scheme != "mlflow-artifacts" or not is_safe_path(path):
            raise InvalidEntry(
                f"the files of {model} version {version} lie at {uri[:200] or 'no place'}, which MLflow does not hand "
                "out: start its server with --artifacts-destination, and log the model again."
            )
        return path

    def files(self, folder: str) -> dict[str, int]:
        """Files directly in a folder behind the proxy, with their sizes in bytes."""
        with self._errors():
            answer = self._checked(self._http.get(_FILES, params={"path": folder}, timeout=self._limit()))
        rows = [] if answer is None else _json(answer, self.url).get("files") or []
        return {str(row["path"]): int(row.get("file_size") or 0) for row in rows if not row.get("is_dir")}

    def download(self, folder: str, name: str, target: Path) -> None:
        """Writes one file behind the proxy to `target`. Raises InvalidEntry when it is not there."""
        if not is_safe_path(name):
            raise InvalidEntry(f"MLflow lists the unsafe path {name[:200]!r}; log the model again.")
        with self._errors(), self._http.stream("GET", f"{_FILES}/{quote(f'{folder}/{name}')}") as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
            if self._checked(answer) is None:
                raise InvalidEntry(f"MLflow has no file {name} at {folder}; log the model again.")
            with target.open("wb") as sink:
                for block in answer.iter_bytes(1 << 20):
                    sink.write(block)

    def set_tag(self, model: str, version: str, key: str, value: str) -> bool:
        """Writes a tag of a version; False when there is no such version any more."""
        return self._post("model-versions/set-tag", {"name": model, "version": version, "key": key, "value": value})

    def set_alias(self, model: str, alias: str, version: str) -> bool:
        """Points an alias at a version; False when there is no such version any more."""
        return self._post("registered-models/alias", {"name": model, "alias": alias, "version": version})

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _pages(self, call: str, rows: str) -> Iterator[dict[str, Any]]:
        page: dict[str, Any] = {"max_results": _PAGE}
        while True:
            found = self._ask(call, page) or {}
            yield from found.get(rows) or []
            token = found.get("next_page_token")
            if not token:
                return
            page = {"max_results": _PAGE, "page_token": token}

    def _ask(self, call: str, params: dict[str, Any]) -> dict[str, Any] | None:
        """The answer's content; None when what it is about is not there."""
        with self._errors():
            answer = self._checked(self._http.get(f"{_API}/{call}", params=params, timeout=self._limit()))
            return None if answer is None else _json(answer, self.url)

    def _post(self, call: str, content: dict[str, str]) -> bool:
        with self._errors():
            return self._checked(self._http.post(f"{_API}/{call}", json=content, timeout=self._limit())) is not None

    def _limit(self) -> httpx.Timeout:
        return httpx.Timeout(left(_READ), connect=left(_CONNECT))

    def _checked(self, answer: httpx.Response) -> httpx.Response | None:
        """The answer when it is one, None for what is not there. Raises for all others."""
        code = answer.status_code
        if code == httpx.codes.OK:
            return answer
        if code == httpx.codes.NOT_FOUND:
            if _said(answer) is None:
                raise Refused(f"{self.url} does not speak MLflow's API (it answers 404): correct mlflow.url.")
            return None
        if code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            if answer.text.startswith(_HOST_REFUSED):
                called = urlsplit(self.url).netloc
                raise Refused(f"MLflow at {self.url} does not know that name: start it with --allowed-hosts {called}.")
            raise Refused(
                f"MLflow at {self.url} refuses these credentials ({code}): check mlflow.username and mlflow.password, "
                "or mlflow.token."
            )
        if code == httpx.codes.TOO_MANY_REQUESTS:
            raise Throttled(f"MLflow at {self.url} asks to come back later.")
        if code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"MLflow at {self.url} fails with {code}: look at its log.")
        raise Refused(f"MLflow at {self.url} answers {code}: {_said(answer) or 'nothing that it explains'}.")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as bad:  # a body that is not compressed as it says is one, too
            untrusted = _certificate_failure(bad)
            if untrusted:
                raise Unreachable(
                    f"the certificate of MLflow at {self.url} is not trusted here ({untrusted}): name the file with "
                    "its authority's certificate as mlflow.caFile (in the chart: mlflow.caConfigMap)."
                ) from bad
            words = type(bad).__name__
            raise Unreachable(
                f"MLflow does not answer at {self.url} ({words}): check mlflow.url and that the server runs."
            ) from bad


def _verified(ca_file: str) -> Any:
    """What certificates are held to: the file's authorities, or those that Python brings."""
    if not ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as bad:
        raise InvalidSettings(
            f"mlflow.caFile {ca_file} cannot be read ({bad}): name a file of PEM certificates."
        ) from bad


def _certificate_failure(failure: BaseException | None) -> str:
    """Why the server's certificate was refused; empty when that is not what failed."""
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return failure.verify_message
        failure = failure.__cause__ or failure.__context__
    return ""


def _json(answer: httpx.Response, url: str) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise Refused(f"{url} does not answer as MLflow does: correct mlflow.url.")
    return content


def _said(answer: httpx.Response) -> str | None:
    """MLflow's own sentence about an error; None when it has none, because somebody else answered."""
    try:
        content = answer.json()
    except ValueError:
        return None
    known = isinstance(content, dict) and ("error_code" in content or "message" in content)
    return str(content.get("message", ""))[:300].rstrip(".") if known else None


def _registered(row: Mapping[str, Any]) -> RegisteredModel:
    aliases = {str(alias["alias"]): str(alias["version"]) for alias in row.get("aliases") or []}
    numbers = [str(version["version"]) for version in row.get("latest_versions") or []]
    newest = max(numbers, key=lambda number: (len(number), number), default="")
    return RegisteredModel(str(row.get("name", "")), int(row.get("creation_timestamp") or 0), aliases, newest)


def _version(row: Mapping[str, Any]) -> ModelVersion:
    tags = {str(tag["key"]): str(tag.get("value", "")) for tag in row.get("tags") or []}
    run, status = str(row.get("run_id") or ""), str(row.get("status") or "READY")
    return ModelVersion(str(row.get("version", "")), str(row.get("source") or ""), run, status, tags)


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
