"""Programs that only write down how they were called and answer from a script, such as `docker` and `kind`.

A folder of them is put in front of PATH. An answer belongs to the beginning of a command line; the longest that
fits is given. `None` for an answer makes the program fail; a command line without one gets an empty answer.
"""

import json
import os
import stat
import sys
from pathlib import Path

_PROGRAM = """#!{python} -IS
import fcntl, json, pathlib, sys
folder = pathlib.Path({folder!r})
words = [{name!r}, *sys.argv[1:]]
if "-" in words:
    sys.stdin.read()
with (folder / "calls.jsonl").open("a") as calls:
    fcntl.flock(calls, fcntl.LOCK_EX)
    calls.write(json.dumps(words) + "\\n")
line, answers = " ".join(words), json.loads((folder / "answers.json").read_text())
fitting = [start for start in answers if line.startswith(start)]
answer = answers[max(fitting, key=len)] if fitting else ""
if answer is None:
    sys.exit("failed, as it was told to")
sys.stdout.write(answer)
"""


class RecordingPrograms:
    """A folder of such programs; `answers` may be changed between two calls."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        self.answers: dict[str, str | None] = {}
        self.answer({})
        for name in names:
            file = folder / "bin" / name
            file.write_text(_PROGRAM.format(python=sys.executable, folder=str(folder), name=name))
            file.chmod(file.stat().st_mode | stat.S_IXUSR)

    @property
    def path(self) -> str:
        """A PATH on which these programs come first, and then only the system's own."""
        return os.pathsep.join([str(self.folder / "bin"), "/usr/bin", "/bin"])

    def answer(self, answers: dict[str, str | None]) -> None:
        """Add answers by the beginning of a command line."""
        self.answers |= answers
        (self.folder / "answers.json").write_text(json.dumps(self.answers))

    def calls(self, name: str) -> list[str]:
        """Command lines of one program, in the order of the calls."""
        file = self.folder / "calls.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [" ".join(words) for words in map(json.loads, lines) if words[0] == name]
