"""What crosses from this machine into a bare one: where packages are had, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

from cleanroom.environment import PATH, bare
from cleanroom.room import crossing

PLATFORM = Path(__file__).resolve().parents[3] / "platform"


def test_certificates_proxies_and_indexes_cross_and_tools_do_not() -> None:
    given = {
        "SSL_CERT_FILE": "/etc/ssl/some.crt", "HTTPS_PROXY": "http://proxy", "https_proxy": "http://proxy",
        "UV_DEFAULT_INDEX": "https://packages", "GOPROXY": "https://modules", "PATH": "/opt/go/bin",
        "GOROOT": "/opt/go", "PYENV_ROOT": "/opt/pyenv", "VIRTUAL_ENV": "/opt/venv", "PYTHONPATH": "/opt/code",
        "PIP_INDEX_URL": "",
    }  # fmt: skip

    assert bare(given, HOME="/nobody") == {
        "PATH": PATH, "LANG": "C.UTF-8", "HOME": "/nobody", "SSL_CERT_FILE": "/etc/ssl/some.crt",
        "HTTPS_PROXY": "http://proxy", "https_proxy": "http://proxy", "UV_DEFAULT_INDEX": "https://packages",
        "GOPROXY": "https://modules",
    }  # fmt: skip


def test_only_files_that_say_where_packages_are_had_cross(tmp_path: Path) -> None:
    crosses = [
        "etc/apt/apt.conf.d/99proxy", "etc/apt/sources.list.d/debian.sources", "etc/pip.conf",
        "etc/ssl/certs/ca-certificates.crt", "usr/local/share/ca-certificates/company.crt",
    ]  # fmt: skip
    stays = ["etc/apt/apt.conf.d/20packagekit", "etc/apt/sources.list.d/docker.list", "etc/passwd", "root/.bashrc"]
    for name in (*crosses, *stays):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert sorted(str(file.relative_to(tmp_path)) for file in crossing(tmp_path)) == crosses


def test_a_command_of_continuous_integration_finds_no_tool_of_its_caller(tmp_path: Path) -> None:
    tool = tmp_path / "go"
    tool.write_text("#!/bin/sh\necho a Go that somebody installed\n")
    tool.chmod(0o755)
    caller = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(PLATFORM)}
    typed = [sys.executable, "-m", "cleanroom.environment", "/usr/bin/env"]

    shown = subprocess.run(typed, env=caller, capture_output=True, text=True, check=True).stdout.splitlines()

    assert f"PATH={PATH}" in shown
    assert "CI=true" in shown
    assert f"HOME={os.environ['HOME']}" in shown
    assert not [line for line in shown if line.startswith("PYTHONPATH=")]
