"""What each stage runs. A stage gets the cluster of this run; all but `e2e` leave it alone."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from .beside import Call, call, calling_patiently
from .cluster import Cluster
from .outcome import Outcome, durations, read_junit

ROOT = Path(__file__).resolve().parent.parent.parent
PLATFORM = ROOT / "platform"
BIN = Path(sys.executable).parent
REPORTS = ROOT / ".modelyard" / "tests"
COVERED = "*/modelyard/core/*,*/modelyard/api/*"
_SOURCES = (".", "../tests", "../model-repo", "../loadtests")
_RUFF = ("--config", "pyproject.toml", "--no-cache", *_SOURCES)
_BALANCED = ("--dist", "worksteal")
"""Each process takes its share of the files in order; one that is done takes tests from the end of another's."""
WORKERS = "MODELYARD_TEST_WORKERS"
"""Variable with another number of processes for unit and integration tests: many more than cores make a busy machine,
on which a test that holds by luck of timing fails."""
_THREE = ("-n", os.environ.get(WORKERS, "3"), *_BALANCED)
"""Each of the three has an API server and a store of its own; they wait more than they compute."""
_TWO = ("-n", "2", *_BALANCED)
"""An API server takes as much computing to start as twenty of these tests: one for each core of the least machine."""
_A_LINE_A_TEST = ("-vv",)
_E2E = {
    "parallel": ("-n", os.environ.get("MODELYARD_E2E_WORKERS", "3"), "--dist", "loadfile", "--no-loadscope-reorder"),
    "exclusive": (),
}
"""Files that keep to their own namespaces run three at a time, the longest first; the others one test at a time."""
CHECKS: dict[str, tuple[str, ...]] = {
    "ruff check": (str(BIN / "ruff"), "check", "--quiet", *_RUFF),
    "ruff format": (str(BIN / "ruff"), "format", "--check", "--quiet", *_RUFF),
    "pyright": (str(BIN / "pyright"), "--project", "pyproject.toml"),
    "import contracts": (str(BIN / "lint-imports"), "--config", "pyproject.toml", "--no-cache"),
    "generated files": (sys.executable, "-m", "modelyard.cli.docs.generate", "--check"),
    "dashboards": (sys.executable, "-m", "dashboards", "--check"),
}


def environment() -> dict[str, str]:
    """Environment of every child: our packages, our tools first, the local cluster unless another is wanted."""
    children = dict(os.environ)
    children["PYTHONPATH"] = str(PLATFORM)
    children["PATH"] = f"{BIN}{os.pathsep}{children.get('PATH', '')}"
    children["COVERAGE_FILE"] = str(REPORTS / "coverage")
    children.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of programs import what the first of them has compiled
    if children.get("MODELYARD_CLUSTER") != "existing":
        children["KUBECONFIG"] = str(ROOT / ".modelyard" / "kubeconfig")
    return children


def local_cluster() -> Cluster:
    """The cluster of a run."""
    return Cluster([sys.executable, "-m", "localcluster"], REPORTS / "cluster.log", ROOT, environment())


def lint(_: Cluster) -> Outcome:
    """All checks, two at a time; the output of a check is shown when it fails."""

    def check(item: tuple[str, tuple[str, ...]]) -> tuple[str, float, subprocess.CompletedProcess[str]]:
        name, command = item
        started = time.monotonic()
        done = subprocess.run(command, cwd=PLATFORM, env=environment(), capture_output=True, text=True, check=False)
        return name, time.monotonic() - started, done

    broken = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, seconds, done in pool.map(check, CHECKS.items()):
            print(f"  {name:<18} {'ok' if done.returncode == 0 else 'FAILED':<7} {seconds:5.1f} s", flush=True)
            if done.returncode:
                broken.append(f"{name} failed")
                print(done.stdout + done.stderr, flush=True)
    return Outcome("lint", broken=broken)


def pytest(stage: str, *options: str, by: Call = call, **settings: str) -> Outcome:
    """Run tests/<stage>, which may be a folder below a stage's, with these settings in the environment too."""
    report = REPORTS / f"{stage.replace('/', '-')}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"tests/{stage}", f"--junitxml={report}", *options]
    code = by(command, ROOT, {**environment(), **settings})
    try:
        (passed, failed), times = read_junit(report), durations(report)
    except ValueError as missing:
        return Outcome(stage, broken=[str(missing)])
    broken = [] if code == 0 or failed else [f"pytest ended with code {code}"]
    return Outcome(stage, passed, failed, broken, durations=times)


def unit(_: Cluster) -> Outcome:
    """Unit tests; `core` and `api` must be covered branch by branch."""
    settings = f"--cov-config={PLATFORM / 'pyproject.toml'}"
    covered = ("--cov=modelyard.core", "--cov=modelyard.api", "--cov-branch", "--cov-report=", settings)
    done = pytest("unit", "-n", os.environ.get(WORKERS, "auto"), *_BALANCED, *covered, by=calling_patiently)
    report = [sys.executable, "-m", "coverage", "report", f"--include={COVERED}", f"--rcfile={PLATFORM}/pyproject.toml"]
    report += ["--fail-under=100", "--precision=2", "--show-missing", "--skip-covered"]
    if subprocess.run(report, cwd=ROOT, env=environment(), check=False).returncode:
        return replace(done, broken=[*done.broken, "branch coverage of core and api is below 100 %"])
    return done


def e2e(cluster: Cluster) -> Outcome:
    """The whole path: first what keeps to its own namespaces, then what changes the platform for all."""
    if failure := cluster.wait():
        return Outcome("e2e", broken=[failure])
    groups = []
    for group, options in _E2E.items():
        started = time.monotonic()
        groups.append(pytest(f"e2e/{group}", *_A_LINE_A_TEST, *options, MODELYARD_CLUSTER_IS_UP="1"))
        print(f"  e2e/{group}: {time.monotonic() - started:.1f} s", flush=True)
    return Outcome(
        "e2e",
        sum(outcome.passed for outcome in groups),
        sum(outcome.failed for outcome in groups),
        [f"{outcome.stage}: {sentence}" for outcome in groups for sentence in outcome.broken],
        durations=[duration for outcome in groups for duration in outcome.durations],
    )


BESIDE: dict[str, Callable[[Call], Outcome]] = {
    "integration": lambda by: pytest("integration", *_THREE, by=by),
    "charts": lambda by: pytest("charts", *_TWO, by=by),
}
"""Stages that may run while those before them do, in this order."""
STAGES: dict[str, Callable[[Cluster], Outcome]] = {
    "lint": lint,
    "unit": unit,
    "integration": lambda _: BESIDE["integration"](call),
    "charts": lambda _: BESIDE["charts"](call),
    "e2e": e2e,
}
