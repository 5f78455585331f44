"""What a child is before it is the program that was meant: the same process, with its limits."""

import ast
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelyard import child_limits
from modelyard.child_limits import NOT_STARTED, become, impose, limited

SOURCES = Path(child_limits.__file__).parents[2]
SAY = """
import json, os, resource, sys
limits = {name: resource.getrlimit(getattr(resource, "RLIMIT_" + name))[0] for name in ("CORE", "DATA")}
print(json.dumps({**limits, "pid": os.getpid(), "words": sys.argv[1:], "library": os.environ.get("LD_LIBRARY_PATH")}))
"""


def said(**limits: Any) -> dict[str, Any]:
    """What a program met under these limits, and the id of the process that was started."""
    process = subprocess.Popen(limited([sys.executable, "-c", SAY, "a b", "--c"], **limits), stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=60)
    return {**json.loads(output), "started": process.pid}


def test_the_program_has_the_limits_and_is_the_process_that_was_started() -> None:
    met = said(core=0, data=1 << 33, environment={"LD_LIBRARY_PATH": "/nowhere"})

    assert (met["CORE"], met["DATA"], met["library"]) == (0, 1 << 33, "/nowhere")
    assert met["pid"] == met["started"]
    assert met["words"] == ["a b", "--c"]


def test_without_limits_it_has_those_it_was_started_with() -> None:
    assert said()["DATA"] == resource.getrlimit(resource.RLIMIT_DATA)[0]


def test_the_exit_code_is_the_programs() -> None:
    assert subprocess.run(limited([sys.executable, "-c", "raise SystemExit(7)"], core=0), check=False).returncode == 7


def test_a_program_that_is_not_there_is_said_as_a_shell_does() -> None:
    done = subprocess.run(limited(["/no/such/program"]), capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (NOT_STARTED, "/no/such/program: No such file or directory\n")


def test_it_ends_with_its_parent() -> None:
    child = f"limited(['sleep', '600'], parent=os.getpid(), deathSignal={int(signal.SIGKILL)})"
    program = f"import os, subprocess; from modelyard.child_limits import limited; print(subprocess.Popen({child}).pid)"
    parent = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    process = Path("/proc") / parent.stdout.strip() / "stat"
    for _ in range(600):
        if not process.exists() or process.read_text().rpartition(")")[2].split()[0] == "Z":
            return
        signal.sigtimedwait([], 0.1)
    pytest.fail("it outlived its parent")


def test_it_does_not_start_for_a_parent_that_is_gone() -> None:
    done = subprocess.run(limited(["true"], parent=1 << 22, deathSignal=15), check=False)

    assert done.returncode == 128 + 15


def test_limits_are_imposed_on_the_process_that_asks() -> None:
    core, data = resource.getrlimit(resource.RLIMIT_CORE)[0], resource.getrlimit(resource.RLIMIT_DATA)[0]
    score = int(Path("/proc/self/oom_score_adj").read_text())

    impose({"core": core, "data": data, "oomScore": score, "parent": os.getppid(), "deathSignal": 0})

    assert resource.getrlimit(resource.RLIMIT_CORE) == (core, core)
    assert int(Path("/proc/self/oom_score_adj").read_text()) == score


def test_it_becomes_the_program_with_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    became: list[Any] = []

    become([json.dumps({"environment": {"THEIRS": "2"}}), "triton", "--x"], lambda *program: became.append(program))

    ((name, command, environment),) = became
    assert (name, command) == ("triton", ["triton", "--x"])
    assert (environment["OURS"], environment["THEIRS"]) == ("1", "2")


def test_a_missing_program_and_a_lost_parent_end_it() -> None:
    with pytest.raises(SystemExit) as missing:
        become(["{}", "/no/such/program"])
    with pytest.raises(SystemExit) as lost:
        impose({"parent": -1, "deathSignal": 0})

    assert (missing.value.code, lost.value.code) == (NOT_STARTED, 128)


def test_nothing_of_ours_runs_between_fork_and_exec() -> None:
    offenders = [
        f"{path.relative_to(SOURCES)}:{call.lineno}"
        for path in SOURCES.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and any(word.arg == "preexec_fn" for word in call.keywords)
    ]

    assert offenders == []
