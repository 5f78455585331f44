"""The platform's Helm release, as whoever runs the platform changes it."""

import subprocess
from pathlib import Path

from tests.support.cluster.kubectl import PLATFORM, run

CHART = "charts/modelyard"
SECONDS = 300


def values(folder: Path) -> str:
    """The values of the release, in a file."""
    file = folder / "values.yaml"
    file.write_text(helm("get", "values", "modelyard", "-o", "yaml").stdout)
    return str(file)


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    """A Helm command on the platform's namespace, with what it printed."""
    return run("helm", *words, "-n", PLATFORM, seconds=SECONDS)


def install(verb: str, file: str, *more: str) -> None:
    """`helm install` or `helm upgrade`, until everything is there."""
    helm(verb, "modelyard", CHART, "-f", file, "--wait", "--timeout", "4m", *more)
