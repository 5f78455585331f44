"""`modelyard serve` as a person runs it: a process that prints a curl to try, and serves until it is ended."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.machine.command_line import PROGRAM, surroundings


@contextmanager
def serving(path: Path, cwd: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """`modelyard serve` on free ports; yields the process and the words of the curl it printed."""
    command = [PROGRAM, "serve", str(path), "--http-port", "0", "--grpc-port", "0", *options]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=surroundings(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        curl = next((line for line in lines if line.strip().startswith("curl ")), "")
        assert curl, process.stderr and process.stderr.read()
        yield process, shlex.split(curl)
    finally:
        process.kill()
        process.wait()


def address(curl: list[str]) -> str:
    """The server that the printed curl asks, such as http://127.0.0.1:8000."""
    found = re.match(r"http://[^/]+", next(word for word in curl if word.startswith("http://")))
    assert found is not None
    return found.group()
