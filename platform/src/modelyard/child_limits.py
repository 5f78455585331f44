"""What a child with limits is at first: a program that limits itself and then becomes the one that was meant.

    python -I -S child_limits.py '{"core": 0, "data": 1073741824}' PROGRAM ARGUMENTS

The process stays the same, so its id, its streams and its exit code are the program's. A function between fork and
exec (`preexec_fn`) could do the same, but in a process with threads it may wait for ever for a lock that another
thread held at that moment. This file is run by its path and imports nothing but Python's own, so that it costs
milliseconds.

| limit | means |
|---|---|
| core, data | bytes of a core dump, and of memory a process may have for itself |
| oomScore | 1000: when memory runs out the kernel ends this process first |
| parent, deathSignal | the process with that id gets the signal as soon as its parent, of that id, has ended |
| environment | variables for the program alone; this one does without them, such as LD_LIBRARY_PATH |
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

NOT_STARTED = 127
"""Exit code when the program cannot be started, as a shell has it."""
_PROGRAM = os.path.abspath(__file__)
_OOM_SCORE = Path("/proc/self/oom_score_adj")
_PARENT_DIED = 1


def limited(command: Sequence[str], **limits: Any) -> list[str]:
    """The command line that runs `command` under the limits of the table above."""
    return [sys.executable, "-I", "-S", _PROGRAM, json.dumps(limits), *command]


def impose(limits: Mapping[str, Any]) -> None:
    """Puts the limits on this process. Raises ValueError or OSError for one that the system does not grant."""
    if "core" in limits:
        resource.setrlimit(resource.RLIMIT_CORE, (limits["core"], limits["core"]))
    if "data" in limits:
        resource.setrlimit(resource.RLIMIT_DATA, (limits["data"], limits["data"]))
    if "oomScore" in limits:
        with suppress(OSError):  # a container that forbids it only loses the preference
            _OOM_SCORE.write_text(str(limits["oomScore"]))
    if "deathSignal" in limits:
        _end_with_parent(limits["parent"], limits["deathSignal"])


def become(arguments: Sequence[str], replace: Callable[..., Any] = os.execvpe) -> None:
    """Imposes the limits, the first argument, and becomes the program of the others; ends when that is not there."""
    limits, command = json.loads(arguments[0]), list(arguments[1:])
    impose(limits)
    try:
        replace(command[0], command, {**os.environ, **limits.get("environment", {})})
    except OSError as missing:
        print(f"{command[0]}: {missing.strerror}", file=sys.stderr)
        sys.exit(NOT_STARTED)


def _end_with_parent(parent: int, signal_number: int) -> None:
    import ctypes

    ctypes.CDLL(None).prctl(_PARENT_DIED, signal_number)
    if os.getppid() != parent:  # it was gone before the kernel was asked
        sys.exit(128 + signal_number)


if __name__ == "__main__":
    become(sys.argv[1:])
