"""The `modelyard` program as a person or a Job runs it: a process, its exit code and what it wrote.

The processes are forked from one that has imported what most verbs need, which spares each of them a second. Their
arguments, surroundings, folder and streams are their own, and so is all they do. `modelyard_here` runs the same
program in the process of the test, for further calls of a verb that one test has run as a process: it spares the
verb's imports.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from modelyard.cli.main import run
from modelyard.installation import cache_folder
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
    """Environment without settings of this machine but its cache folder, and with a store's when one is given."""
    ours = {key: value for key, value in os.environ.items() if not key.startswith("MODELYARD_") or "CACHE" in key}
    ours["MODELYARD_CACHE"] = str(cache_folder())
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


def modelyard_here(*arguments: str | Path, store: StoreSettings | None = None, cwd: Path, **more: str) -> Ran:
    """Runs a verb to its end in this process: arguments, environment, folder and Python's streams are the verb's."""
    out, err = StringIO(), StringIO()
    environment = surroundings(store, HOME=str(cwd), **more)
    with _lent([PROGRAM, *map(str, arguments)], environment), chdir(cwd), redirect_stdout(out), redirect_stderr(err):
        try:
            run()
        except SystemExit as ended:
            return Ran(int(ended.code or 0), out.getvalue(), err.getvalue())


@contextmanager
def _lent(words: list[str], environment: dict[str, str]) -> Iterator[None]:
    """This process with other arguments and another environment; both and the signal handler are put back."""
    arguments, surrounding, handler = sys.argv, dict(os.environ), signal.getsignal(signal.SIGTERM)
    try:
        sys.argv = words
        os.environ.clear()
        os.environ.update(environment)
        yield
    finally:
        sys.argv = arguments
        os.environ.clear()
        os.environ.update(surrounding)
        signal.signal(signal.SIGTERM, handler)


def _verb(words: list[str], environment: dict[str, str], cwd: Path, out: Path, err: Path) -> None:
    """The program in the forked process."""
    for path, stream in ((out, 1), (err, 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = words
    run()
