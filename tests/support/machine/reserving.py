"""Maps a range of addresses far larger than it uses, as CUDA does, and writes what became of it.

python -m tests.support.machine.reserving RESULT BYTES
"""

import json
import mmap
import resource
import sys
from pathlib import Path

_NO_RESERVE = 0x4000
"""Linux's MAP_NORESERVE: nothing is set aside for the range, whatever the machine has."""


def main(result: Path, size: int) -> None:
    """{"mapped": whether the range was given, "oomScore": this process's preference, "coreLimit": bytes}."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    try:
        with mmap.mmap(-1, size, flags=flags):
            mapped = True
    except OSError:
        mapped = False
    score = int(Path("/proc/self/oom_score_adj").read_text())
    core = resource.getrlimit(resource.RLIMIT_CORE)[0]
    result.write_text(json.dumps({"mapped": mapped, "oomScore": score, "coreLimit": core}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
