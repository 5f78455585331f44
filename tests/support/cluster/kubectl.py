"""kubectl as a user types it, and waiting for the state of the world."""

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import yaml

ROOT = Path(__file__).resolve().parents[3]
BIN = ROOT / ".venv" / "bin"
KUBECONFIG = ROOT / ".modelyard" / "kubeconfig"
CONFIG = ROOT / ".modelyard" / "config.yaml"
PLATFORM = "modelyard-system"
PATIENCE = 300.0
"""Seconds for which anything is waited for: no promise, only an end to what never comes."""
Found = TypeVar("Found")


def environment() -> dict[str, str]:
    """The environment of a person who works on the local cluster."""
    kubeconfig = os.environ["KUBECONFIG"] if os.environ.get("MODELYARD_CLUSTER") == "existing" else str(KUBECONFIG)
    path = f"{BIN}:{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": kubeconfig, "MODELYARD_CONFIG": str(CONFIG), "PATH": path}


def run(
    *command: str, stdin: str = "", check: bool = True, seconds: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """A command from the repository's root; with `check`, its output is the failure's message."""
    done = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=seconds, env=environment(), cwd=ROOT, check=False
    )
    assert not check or done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}"
    return done


def kubectl(*arguments: str, stdin: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
    return run("kubectl", *arguments, stdin=stdin, check=check)


def apply(*objects: dict[str, Any], check: bool = True) -> subprocess.CompletedProcess[str]:
    """`kubectl apply -f -`."""
    return kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects), check=check)


def get(kind: str, name: str, namespace: str) -> dict[str, Any] | None:
    """The object as the API server has it, or None."""
    text = kubectl("get", kind, name, "-n", namespace, "-o", "json", "--ignore-not-found").stdout
    return json.loads(text) if text.strip() else None


def items(kinds: str, namespace: str, selector: str = "") -> list[dict[str, Any]]:
    """Objects of one or more kinds in a namespace."""
    chosen = ["-l", selector] if selector else []
    return json.loads(kubectl("get", kinds, "-n", namespace, "-o", "json", *chosen).stdout)["items"]


def eventually(answer: Callable[[], Found | None], wanted: str, seconds: float = PATIENCE, every: float = 0.5) -> Found:
    """The first truthy result of `answer`; fails with the sentence `wanted` after a generous time."""
    end = time.monotonic() + seconds
    while True:
        result = answer()
        if result:
            return result
        assert time.monotonic() < end, f"waited {seconds:.0f} s in vain until {wanted}"
        time.sleep(every)
