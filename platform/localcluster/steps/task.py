"""One step while it runs: its log file, the programs it starts, the things it waits for.

Every program's output goes to the step's log. When another step fails, `stop` is set: programs still running
are ended and waiting ends, so a failure is reported at once.
"""

import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from localcluster.errors import CommandFailed, NotReady, Stopped

_MOST_LOGGED = 20_000
"""Characters of a program's output."""


def _silent(_: str) -> None:
    return None


class Task:
    """Carries a step's log (`log`), its stop signal and a way to tell what it does (`say`)."""

    def __init__(self, log: Path, stop: threading.Event | None = None, say: Callable[[str], None] = _silent) -> None:
        self.log = log
        self.stop = stop or threading.Event()
        self.say = say
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")

    def run(
        self,
        *argv: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        text: str = "",
        hint: str = "",
    ) -> str:
        """Standard output of a program that ended well; `text` is its standard input.

        Raises CommandFailed with the log otherwise, Stopped when the whole run is being given up.
        """
        words = [str(word) for word in argv]
        with self.log.open("a") as log:
            log.write(f"$ {shlex.join(words)}\n")
            log.flush()
            program = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env, cwd=cwd, text=True
            )
            output = self._finish(program, text)
            log.write(_logged(output, program.returncode))
        if program.returncode != 0:
            raise CommandFailed(f"`{_short(words)}` ended with exit code {program.returncode}.", self.log, hint)
        return output

    def _finish(self, program: subprocess.Popen[str], text: str) -> str:
        given: str | None = text
        while True:
            try:
                return program.communicate(given, timeout=0.5)[0]
            except subprocess.TimeoutExpired:
                given = None
                if self.stop.is_set():
                    program.terminate()
                    program.communicate()
                    raise Stopped("given up because another step failed.") from None

    def succeeds(self, *argv: str | Path, env: Mapping[str, str] | None = None) -> bool:
        """Whether a program ends well; its output goes to the log."""
        try:
            self.run(*argv, env=env)
        except CommandFailed:
            return False
        return True

    def until(self, what: str, check: Callable[[], bool], seconds: float = 60, log: Path | None = None) -> None:
        """Return once `check()` holds; raises NotReady after `seconds` with `log` (by default the step's own)."""
        deadline = time.monotonic() + seconds
        while not check():
            if self.stop.is_set():
                raise Stopped("given up because another step failed.")
            if time.monotonic() > deadline:
                raise NotReady(f"{what} was not ready after {seconds:.0f} s.", log or self.log)
            time.sleep(0.1)


def _logged(output: str, code: int) -> str:
    """What a log keeps of a program's output: all of a little, and the end of much when the program failed."""
    if len(output) < _MOST_LOGGED:
        return output
    end = output[-_MOST_LOGGED:] if code else ""
    return f"({len(output)} characters of output)\n{end}"


def _short(words: Sequence[str]) -> str:
    line = shlex.join([Path(words[0]).name, *words[1:]])
    return line if len(line) < 120 else f"{line[:117]}..."
