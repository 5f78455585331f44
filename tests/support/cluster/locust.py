"""The Locust suite as a Job or a person runs it: a process of its own, because gevent changes the one it is in."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.builder.triton.v2_http import encode
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import surroundings
from tests.support.servers.store import free_ports

ROOT = Path(__file__).resolve().parents[3]
_LOCUST = str(Path(sys.executable).with_name("locust"))
REQUEST = encode({"x": np.array([[0.5, 1.0]], "float32"), "word": np.array(["one"], dtype=object)}).content
"""A request for the model `double` of `inference_server`."""


@dataclass(frozen=True)
class Loaded:
    """How a load test ended: its exit code, what it printed, its last words and its report (empty without one)."""

    code: int
    out: str
    err: str
    words: dict[str, Any]
    report: dict[str, Any]


def load(
    url: str,
    folder: Path,
    *flags: str,
    store: StoreSettings | None = None,
    locustfile: Path | None = None,
    request: bool = True,
) -> Loaded:
    """Runs a load test on the model `double` behind `url` to its end; `folder` is empty. Without `request` what is sent
    stands in the flags."""
    (folder / "request.json").write_bytes(REQUEST)
    source = () if "--build" in flags or not request else ("--request", str(folder / "request.json"))
    command = [
        _LOCUST, "--locustfile", str(locustfile or ROOT / "loadtests" / "locustfile.py"), "--headless",
        "--only-summary", "--host", url, "--model", "double", "--namespace", "demo", *source,
        "--report", str(folder / "report.json"), *flags,
    ]  # fmt: skip
    port = str(free_ports(1)[0])  # of Locust's own between processes: several load tests may run at once
    environment = surroundings(
        store, HOME=str(folder), MODELYARD_TERMINATION_LOG=str(folder / "words"), LOCUST_MASTER_BIND_PORT=port,
        LOCUST_MASTER_NODE_PORT=port,
    )  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    return Loaded(done.returncode, done.stdout, done.stderr, _json(folder / "words"), _json(folder / "report.json"))


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}
