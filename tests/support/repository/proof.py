"""How much is tried: a part in `make test`, everything in `make proof`, which sets MODELYARD_PROOF=1.

Where a test would repeat itself for every write of a story, the default tries every n-th. The first one is drawn from
the commit, so one commit tries the same cases everywhere, and the commits together try them all.
"""

import os
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

PROOF = os.environ.get("MODELYARD_PROOF") == "1"
Case = TypeVar("Case")


def sampled(cases: Sequence[Case], every: int) -> list[tuple[int, Case]]:
    """Every n-th case with its number, the first of them drawn from the commit; all cases in a proof."""
    numbered = list(enumerate(cases))
    return numbered if PROOF else numbered[drawn(commit(), every) :: every]


def drawn(commit: str, below: int) -> int:
    """A number from 0 to `below` - 1 for a commit; 0 for a tree that has none."""
    return int(commit or "0", 16) % below


@cache
def commit() -> str:
    """The commit of this tree in hexadecimal; empty outside a git checkout or without git."""
    command = ["git", "rev-parse", "--verify", "HEAD"]
    try:
        answer = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
