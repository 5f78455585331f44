"""MLflow's registry and artifact proxy as far as Modelyard uses it, in memory, over HTTP or HTTPS.

`tests/unit/mlflow_sync/test_client.py` holds it and a real server to the same answers.
"""

import base64
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

_API, _FILES = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts"
_ABSENT = {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "there is no such thing"}
Answer = tuple[int, dict[str, Any] | bytes]


class SimulatedMlflow:
    """The content of the server; `fails` is a status that all calls get instead, `asked` the calls so far.

    With a `login`, `user:password`, it answers only those who send it, as MLflow's own basic authentication does.
    """

    def __init__(self, login: str = "") -> None:
        self.url, self.fails, self.page = "", 0, 1000
        self._login = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.models: dict[str, dict[str, Any]] = {}
        self.versions: dict[tuple[str, str], dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.metrics: dict[str, dict[str, float]] = {}
        self._lock = threading.Lock()

    def admits(self, authorization: str) -> bool:
        """Whether somebody who sends this header may ask."""
        return self._login in ("", authorization)

    def answer(self, method: str, path: str, given: dict[str, Any], body: bytes) -> Answer:
        """The answer to one call."""
        with self._lock:
            self.asked.append(f"{method} {path.removeprefix(_API)}")
            if self.fails:
                return self.fails, {"error_code": "INTERNAL_ERROR", "message": "as told"}
            if path.startswith(_FILES):
                return self._file(method, unquote(path.removeprefix(_FILES).strip("/")), given, body)
            call = f"{method} {path.removeprefix(_API)}"
            for pattern, method_name in _CALLS.items():
                if re.fullmatch(pattern, call):
                    return getattr(self, method_name)(given)
        return 404, b"no such page"

    def _file(self, method: str, path: str, given: dict[str, Any], body: bytes) -> Answer:
        if method == "PUT":
            self.files[path] = body
            return 200, {}
        if path:
            return (200, self.files[path]) if path in self.files else (404, _ABSENT)
        folder = given["path"] + "/"
        names = [name.removeprefix(folder) for name in sorted(self.files) if name.startswith(folder)]
        return 200, {"files": [_listed(name, self.files[folder + name]) for name in names]}

    def _create(self, given: dict[str, Any]) -> Answer:
        if given["name"] in self.models:
            return 400, {"error_code": "RESOURCE_ALREADY_EXISTS", "message": "it is there"}
        created = time.time_ns() // 1_000_000
        self.models[given["name"]] = {"name": given["name"], "creation_timestamp": created, "aliases": {}, "made": 0}
        return 200, {}

    def _registered(self, name: str) -> dict[str, Any]:
        model = self.models[name]
        last = max((int(version) for of, version in self.versions if of == name), default=0)
        latest = [self.versions[name, str(last)]] if last else []
        aliases = [{"alias": alias, "version": version} for alias, version in model["aliases"].items()]
        return {**model, "aliases": aliases, "latest_versions": latest}

    def _get_model(self, given: dict[str, Any]) -> Answer:
        return 200, {"registered_model": self._registered(given["name"])}

    def _search(self, given: dict[str, Any]) -> Answer:
        begin, names = int(given.get("page_token") or 0), sorted(self.models)
        end = begin + min(self.page, int(given["max_results"]))
        token = {"next_page_token": str(end)} if end < len(names) else {}
        return 200, {"registered_models": [self._registered(name) for name in names[begin:end]], **token}

    def _delete_model(self, given: dict[str, Any]) -> Answer:
        del self.models[given["name"]]
        self.versions = {key: version for key, version in self.versions.items() if key[0] != given["name"]}
        return 200, {}

    def _run(self, given: dict[str, Any]) -> Answer:
        run = f"{len(self.metrics):032x}"
        self.metrics[run] = {}
        return 200, {"run": {"info": {"run_id": run}}}

    def _metric(self, given: dict[str, Any]) -> Answer:
        self.metrics[given["run_id"]][given["key"]] = given["value"]
        return 200, {}

    def _get_run(self, given: dict[str, Any]) -> Answer:
        metrics = self.metrics.get(given["run_id"])
        if metrics is None:
            return 404, _ABSENT
        rows = [{"key": key, "value": value} for key, value in metrics.items()]
        return 200, {"run": {"data": {"metrics": rows}}}

    def _log(self, given: dict[str, Any]) -> Answer:
        model_id = f"m-{time.time_ns():032x}"
        place = f"mlflow-artifacts:/0/models/{model_id}/artifacts"
        return 200, {"model": {"info": {"model_id": model_id, "artifact_uri": place}}}

    def _done(self, given: dict[str, Any]) -> Answer:
        return 200, {}

    def _version(self, given: dict[str, Any]) -> Answer:
        model = self.models[given["name"]]
        model["made"] += 1
        made = {**given, "version": str(model["made"]), "status": "READY", "tags": []}
        self.versions[given["name"], made["version"]] = made
        return 200, {"model_version": made}

    def _get_version(self, given: dict[str, Any]) -> Answer:
        found = self.versions.get((given["name"], given["version"]))
        return (404, _ABSENT) if found is None else (200, {"model_version": found})

    def _place(self, given: dict[str, Any]) -> Answer:
        source = self.versions[given["name"], given["version"]]["source"]
        place = f"mlflow-artifacts:/0/models/{source.removeprefix('models:/')}/artifacts"
        return 200, {"artifact_uri": place if source.startswith("models:/") else source}

    def _delete_version(self, given: dict[str, Any]) -> Answer:
        del self.versions[given["name"], given["version"]]
        aliases = self.models[given["name"]]["aliases"]
        for alias in [alias for alias, version in aliases.items() if version == given["version"]]:
            del aliases[alias]
        return 200, {}

    def _set_tag(self, given: dict[str, Any]) -> Answer:
        found = self.versions.get((given["name"], given["version"]))
        if found is None:
            return 404, _ABSENT
        kept = [tag for tag in found["tags"] if tag["key"] != given["key"]]
        found["tags"] = [*kept, {"key": given["key"], "value": given["value"]}]
        return 200, {}

    def _set_alias(self, given: dict[str, Any]) -> Answer:
        if (given["name"], given["version"]) not in self.versions:
            return 404, _ABSENT
        self.models[given["name"]]["aliases"][given["alias"]] = given["version"]
        return 200, {}

    def _delete_alias(self, given: dict[str, Any]) -> Answer:
        self.models[given["name"]]["aliases"].pop(given["alias"], None)
        return 200, {}


_CALLS = {
    "POST registered-models/create": "_create",
    "GET registered-models/get": "_get_model",
    "GET registered-models/search": "_search",
    "DELETE registered-models/delete": "_delete_model",
    "POST registered-models/alias": "_set_alias",
    "DELETE registered-models/alias": "_delete_alias",
    "POST runs/create": "_run",
    "POST runs/log-metric": "_metric",
    "GET runs/get": "_get_run",
    "POST logged-models": "_log",
    "PATCH logged-models/.*": "_done",
    "POST model-versions/create": "_version",
    "GET model-versions/get": "_get_version",
    "GET model-versions/get-download-uri": "_place",
    "DELETE model-versions/delete": "_delete_version",
    "POST model-versions/set-tag": "_set_tag",
}


def _listed(name: str, content: bytes) -> dict[str, Any]:
    return {"path": name.split("/")[0], "is_dir": "/" in name, "file_size": len(content)}


@contextmanager
def simulated_mlflow(login: str = "", tls: ssl.SSLContext | None = None) -> Iterator[SimulatedMlflow]:
    """A server of its own, on a port of its own; over HTTPS with `tls`."""
    mlflow = SimulatedMlflow(login)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            mlflow.headers = dict(self.headers)
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            json_body = json.loads(body) if body and not parts.path.startswith(_FILES) else {}
            given = {**dict(parse_qsl(parts.query)), **json_body}
            if mlflow.admits(self.headers.get("Authorization", "")):
                code, content = mlflow.answer(self.command, parts.path, given, body)
            else:
                code, content = 401, b"You are not authenticated."
            written = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=lambda: server.serve_forever(0.05), daemon=True)
    thread.start()
    mlflow.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield mlflow
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
