"""Where promtool, Prometheus, Alertmanager and the OpenTelemetry Collector of tests come from.

Debian's packages, which are there in seconds; with MODELYARD_PROOF the programs of the local cluster, which take
minutes to build. Users have either: the rules hold on Prometheus 2.42 and on 3. Debian's Alertmanager reads its
templates from where its package is installed, so that one is. Debian has no collector: only proofs need one.
"""

import os
import tempfile
from functools import cache
from pathlib import Path

from localcluster import paths
from localcluster.cache import locked
from localcluster.programs import binaries, debian, toolchain
from localcluster.steps.task import Task

ALERTMANAGER = "prometheus-alertmanager"
_INSTALLED = {"alertmanager": Path("/usr/bin/prometheus-alertmanager"), "amtool": Path("/usr/bin/amtool")}


@cache
def program(name: str) -> Path:
    """The path of promtool, prometheus, alertmanager, amtool or opentelemetry-collector."""
    where = paths.default()
    with tempfile.TemporaryDirectory() as folder:
        task = Task(Path(folder) / f"{name}.log")
        if os.environ.get("MODELYARD_PROOF"):
            return binaries.program(where, task, name)
        if name not in _INSTALLED:
            return debian.fetch(where, task, "prometheus") / "usr" / "bin" / name
        with locked(where.cache / "debian" / ".installed.lock"):
            if not _INSTALLED[name].exists():
                toolchain.install(task, [ALERTMANAGER])
        return _INSTALLED[name]
