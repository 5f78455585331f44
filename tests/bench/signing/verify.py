"""`python -m tests.bench.signing.verify [--megabytes 100]`: how long verifying takes, as Markdown.

Of an entry the whole command is timed, its start and the download from a store on this machine included; of a build the
program that a pod runs before its server, which has the files on its disk already. Processor seconds are of the command
and what it started, so that they say something on a busy machine as well.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from modelyard.clients.store import S3Store
from modelyard.registry.bucket import BucketRegistry
from modelyard.signing import verified_start
from modelyard.signing.entry_signature import signature_of
from modelyard.signing.keys import write_pair
from tests.support.machine.command_line import PROGRAM, surroundings
from tests.support.servers.store import running_store
from tests.support.signing.signed import BUILD, a_repository

DESCRIPTION = {"name": "large", "version": "1", "framework": "onnx", "task": "none"}


def timed(command: Sequence[str], environment: dict[str, str]) -> tuple[float, float]:
    """(seconds, processor seconds) of a command that has to succeed."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def row(what: str, runs: list[tuple[float, float]]) -> str:
    """A line of the table: median and extremes of the seconds, median of the processor seconds."""
    seconds = [run[0] for run in runs]
    used = statistics.median(run[1] for run in runs)
    return f"| {what} | {statistics.median(seconds):.2f} s ({min(seconds):.2f}-{max(seconds):.2f}) | {used:.2f} s |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    content = os.urandom(options.megabytes * 1_000_000)
    print(f"| {options.megabytes} MB, {options.runs} runs | seconds | processor seconds |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch, running_store(Path(scratch)) as server:
        folder, where = Path(scratch, "large"), server.settings(server.new_bucket())
        folder.mkdir()
        (folder / "model.onnx").write_bytes(content)
        (folder / "modelyard.yaml").write_text(yaml.safe_dump(DESCRIPTION))
        key, _, public = write_pair(Path(scratch), "alice")
        registry = BucketRegistry(S3Store(where))
        entry = registry.push(folder).entry
        registry.sign(entry, key.public.id, signature_of(entry, key))
        command = [PROGRAM, "verify", "large:1", "--key", str(public)]
        environment = surroundings(where, HOME=scratch)
        runs = [timed(command, environment) for _ in range(options.runs)]
        print(row("`modelyard verify` of an entry, from the store", runs))
        models = a_repository(Path(scratch, "models"), key, {"large/1/model.onnx": content})
        checks = {
            "PATH": os.defpath,
            "MODELYARD_BUILD": BUILD,
            "MODELYARD_BUILD_KEYS": key.public.text,
            "MODELYARD_REPOSITORY": str(models),
        }
        program = Path(verified_start.__file__).read_text()
        pod = [sys.executable, "-I", "-S", "-c", program, "true"]
        print(row("the check before the server starts", [timed(pod, checks) for _ in range(options.runs)]))


if __name__ == "__main__":
    main()
