#!/usr/bin/python3 -IS
"""HOME/sbin/tritonserver: runs HOME/bin/tritonserver as its only task, and ends it when a model's process has ended.

A Python backend runs every instance of a model in a process of its own, the stub. When one of them dies, Triton stays
ready and answers HTTP 500 for ever. Here the whole server ends then, so that Kubernetes takes the pod out of its
Service and starts the container again.

    a stub that Triton ended itself         Triton has waited for it, so it is gone at once
    a stub that ended by itself             stays a zombie, because Triton does not wait for it

Ends with Triton's exit code, 128 + n for signal n; with that of the stub when one has ended by itself, 70
(EX_SOFTWARE of sysexits.h) when the stub left none. Signals are passed on to Triton, which ends in its own time then.
As the first process of a container it also reaps orphans and removes the shared memory that a killed Triton left.
Standard library only, and none of the packages that Triton's models see.
"""

import os
import signal
import sys
import time
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
FRONTEND = HOME / "lib" / "libmodelyard_frontend.so"
PAUSE_SECONDS = 0.5
"""Between two looks at the processes; a stub that is a zombie for so long has ended by itself."""
UNKNOWN = 70
_STUB = "triton_python_b"
_REGIONS = "triton_python_backend_shm_region_*"
_PASSED_ON = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
_AWAITED = {*_PASSED_ON, signal.SIGCHLD}


def main(arguments: list[str]) -> int:
    """The exit code of a Triton that is run with `arguments`."""
    if os.getpid() == 1:
        for left in Path("/dev/shm").glob(_REGIONS):
            left.unlink(missing_ok=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    program = str(HOME / "bin" / "tritonserver")
    environment = {**os.environ, **({"LD_PRELOAD": str(FRONTEND)} if FRONTEND.exists() else {})}
    return watched(os.posix_spawn(program, [program, *arguments], environment, setsigmask=()))


def watched(server: int) -> int:
    """Waits for the process `server`, a child of ours, and gives the exit code to end with."""
    zombies: dict[int, float] = {}
    asked = False
    while True:
        received = signal.sigtimedwait(_AWAITED, PAUSE_SECONDS)
        if received is not None and received.si_signo in _PASSED_ON:
            os.kill(server, received.si_signo)
            asked = True
        code = reaped(server)
        if code is not None:
            return code
        if asked:
            continue
        now, ended = time.monotonic(), ended_stubs(server)
        zombies = {pid: zombies.get(pid, now) for pid in ended}
        for pid, since in zombies.items():
            if now - since >= PAUSE_SECONDS:
                return _end(server, pid, ended[pid])


def reaped(server: int) -> int | None:
    """The server's exit code if it has ended; None while it runs. Waits for whatever else has ended meanwhile."""
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return None
        if pid == server:
            return exit_code(status)


def exit_code(status: int) -> int:
    """A wait status as a shell would tell it."""
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def ended_stubs(server: int) -> dict[int, int]:
    """Wait statuses, by process id, of the server's stubs that have ended and that nobody has waited for."""
    ended = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, _, rest = stat.read_text().partition(" (")
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, _, facts = rest.rpartition(") ")
        state, parent, *_, status = facts.split()
        if (name, state, parent) == (_STUB, "Z", str(server)):
            ended[int(pid)] = int(status)
    return ended


def _end(server: int, stub: int, status: int) -> int:
    code = exit_code(status) or UNKNOWN
    how = f"by signal {code - 128}" if code > 128 else f"with exit code {exit_code(status)}"
    stamp = time.strftime("%m%d %H:%M:%S")
    print(
        f'E{stamp}.000000 {stub} supervise.py:1] "the process that runs the model ended {how}, so the server ends too"',
        file=sys.stderr,
        flush=True,
    )
    os.kill(server, signal.SIGKILL)
    os.waitpid(server, 0)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
