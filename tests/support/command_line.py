"""The `modelyard` program as a person or a Job runs it: a process, its exit code and what it wrote.

The processes are forked from one that has imported what most verbs need, which spares each of them a second. Their
arguments, surroundings, folder and streams are their own, and so is all they do.
"""

import multiprocessing
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from modelyard.cli.main import run
from modelyard.settings import StoreSettings

PROGRAM = str(Path(sys.executable).with_name("modelyard"))
_SECONDS = 300
_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload(
    ["boto3", "onnx", "rich.console", "rich.live", "rich.table", "modelyard.cli.registry.push"]
)


@dataclass(frozen=True)
class Ran:
    """How a run ended."""

    code: int
    out: str
    err: str


def surroundings(store: StoreSettings | None = None, **more: str) -> dict[str, str]:
    """Environment without settings of this machine, and with a store's when one is given."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("MODELYARD_") or "CACHE" in key}
    if store is not None:
        ours |= {
            "MODELYARD_STORE_ENDPOINT": store.endpoint,
            "MODELYARD_STORE_BUCKET": store.bucket,
            "MODELYARD_STORE_ACCESS_KEY_ID": store.access_key_id,
            "MODELYARD_STORE_SECRET_ACCESS_KEY": store.secret_access_key.get_secret_value(),
        }
    return ours | more


def modelyard(*arguments: str | Path, store: StoreSettings | None = None, cwd: Path, **more: str) -> Ran:
    """Runs a verb to its end, in a folder without configuration."""
    with TemporaryDirectory() as scratch:
        out, err = Path(scratch, "out"), Path(scratch, "err")
        given = ([PROGRAM, *map(str, arguments)], surroundings(store, HOME=str(cwd), **more), cwd, out, err)
        process = _WARM.Process(target=_verb, args=given)
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"{given[0]} takes longer than {_SECONDS} s: {err.read_text()}")
        return Ran(process.exitcode, out.read_text(), err.read_text())


def _verb(words: list[str], environment: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    """The program in the forked process."""
    for path, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    run()
