"""What each stage runs."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from .outcome import Outcome, read_junit

ROOT = Path(__file__).resolve().parent.parent.parent
PLATFORM = ROOT / "platform"
BIN = Path(sys.executable).parent
REPORTS = ROOT / ".modelyard" / "tests"
COVERED = "*/modelyard/core/*,*/modelyard/api/*"
_SOURCES = (".", "../tests", "../model-repo", "../loadtests")
_RUFF = ("--config", "pyproject.toml", "--no-cache", *_SOURCES)
_BY_FILE = ("--dist", "loadfile")
_TWO = ("-n", "2", *_BY_FILE)
"""Each of the two has an API server and a store of its own."""
CHECKS: dict[str, tuple[str, ...]] = {
    "ruff check": (str(BIN / "ruff"), "check", "--quiet", *_RUFF),
    "ruff format": (str(BIN / "ruff"), "format", "--check", "--quiet", *_RUFF),
    "pyright": (str(BIN / "pyright"), "--project", "pyproject.toml"),
    "import contracts": (str(BIN / "lint-imports"), "--config", "pyproject.toml", "--no-cache"),
    "generated files": (sys.executable, "-m", "modelyard.cli.docs.generate", "--check"),
}


def environment() -> dict[str, str]:
    """Environment of every child: our packages, our tools first, the local cluster unless another is wanted."""
    children = dict(os.environ)
    children["PYTHONPATH"] = str(PLATFORM)
    children["PATH"] = f"{BIN}{os.pathsep}{children.get('PATH', '')}"
    children["COVERAGE_FILE"] = str(REPORTS / "coverage")
    if children.get("MODELYARD_CLUSTER") != "existing":
        children["KUBECONFIG"] = str(ROOT / ".modelyard" / "kubeconfig")
    return children


def lint() -> Outcome:
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


def pytest(stage: str, *options: str) -> Outcome:
    """Run tests/<stage>; its output goes straight to the reader."""
    report = REPORTS / f"{stage}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", f"tests/{stage}", f"--junitxml={report}", *options]
    code = subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode
    try:
        passed, failed = read_junit(report)
    except ValueError as missing:
        return Outcome(stage, broken=[str(missing)])
    broken = [] if code == 0 or failed else [f"pytest ended with code {code}"]
    return Outcome(stage, passed, failed, broken)


def unit() -> Outcome:
    """Unit tests; `core` and `api` must be covered branch by branch."""
    settings = f"--cov-config={PLATFORM / 'pyproject.toml'}"
    covered = ("--cov=modelyard.core", "--cov=modelyard.api", "--cov-branch", "--cov-report=", settings)
    done = pytest("unit", "-n", "auto", *_BY_FILE, *covered)
    report = [sys.executable, "-m", "coverage", "report", f"--include={COVERED}", f"--rcfile={PLATFORM}/pyproject.toml"]
    report += ["--fail-under=100", "--precision=2", "--show-missing", "--skip-covered"]
    if subprocess.run(report, cwd=ROOT, env=environment(), check=False).returncode:
        return replace(done, broken=[*done.broken, "branch coverage of core and api is below 100 %"])
    return done


def localcluster(verb: str) -> int:
    """Exit code of `localcluster <verb>`."""
    command = [sys.executable, "-m", "localcluster", verb]
    return subprocess.run(command, cwd=ROOT, env=environment(), check=False).returncode


def e2e() -> Outcome:
    """The whole path; leaves the cluster as it was found."""
    found = os.environ.get("MODELYARD_CLUSTER") == "existing" or localcluster("status") == 0
    try:
        if code := localcluster("up"):
            return Outcome("e2e", broken=[f"the local cluster did not start (code {code})"])
        return pytest("e2e")
    finally:
        if not found:
            localcluster("down")


STAGES: dict[str, Callable[[], Outcome]] = {
    "lint": lint,
    "unit": unit,
    "integration": lambda: pytest("integration", *_TWO),
    "charts": lambda: pytest("charts", *_TWO),
    "e2e": e2e,
}
