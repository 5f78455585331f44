"""The `modelyard` program as a person or a Job runs it: a process, its exit code and what it wrote."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from modelyard.settings import StoreSettings

PROGRAM = str(Path(sys.executable).with_name("modelyard"))


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
    command = [PROGRAM, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env=surroundings(store, HOME=str(cwd), **more), capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)
