"""What a training did, written down while it goes on: parameters, figures by epoch, digests of what came out.

Whatever the tracker does, the training goes on: the first failure is told, once, and nothing more is written. What is
told has none of the keys that the environment holds.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .tracker import NONE, Tracker, chosen, flat, opened

_LONGEST, _SENTENCE = 500, 300
_KEYS = re.compile(r"TOKEN|SECRET|PASSWORD|API_?KEY")
_LOGIN = re.compile(r"://[^/@\s]+@")


class Journal:
    """A run that is being written; without a tracker it writes nothing. `notes` are for the report."""

    def __init__(self, kind: str, tracker: Tracker | None, tell: Callable[[str], None]) -> None:
        self._kind, self._tracker, self._tell = kind, tracker, tell
        self.run = tracker.run if tracker is not None else ""
        self.notes: list[str] = []

    def params(self, values: Mapping[str, Any]) -> None:
        """Nested values by their path: distill.epochs."""
        written = {name: str(value)[:_LONGEST] for name, value in flat(values).items()}
        self._write(lambda tracker: tracker.params(written))

    def metric(self, name: str, value: float, step: int = 0) -> None:
        """One figure of one epoch."""
        self._write(lambda tracker: tracker.metric(name, value, step))

    def digest(self, name: str, path: Path) -> None:
        """What came out, by its digest: `NAME/digest` is `sha256:<hex>` of the file."""
        with path.open("rb") as stream:
            value = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
        self._write(lambda tracker: tracker.text(f"{name}/digest", value))

    def close(self, failed: bool) -> None:
        """Nothing more is written."""
        self._write(lambda tracker: tracker.close(failed))

    def give_up(self, bad: Exception) -> None:
        """Tells why, and writes nothing any more."""
        if isinstance(bad, ModuleNotFoundError):
            why = f"the package {bad.name} is not in this Python; install it there, or log elsewhere"
        else:
            why = f"{type(bad).__name__}: {_without_keys(' '.join(str(bad).split()))[:_SENTENCE]}"
        sentence = f"The training is not logged to {self._kind} any further ({why}); it goes on."
        self._tracker = None
        self.notes.append(sentence)
        self._tell(sentence)

    def _write(self, write: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            write(self._tracker)
        except Exception as bad:  # noqa: BLE001 - their packages raise anything
            self.give_up(bad)


@contextmanager
def journal(name: str, run: str, asked: str, tell: Callable[[str], None]) -> Iterator[Journal]:
    """A new run called `name`, or `run` to go on with; `asked` is one of `tracker.KINDS`, empty for the environment's.

    `tell` gets why nothing is written, where something fails. ValueError when nobody knows who is asked for.
    """
    kind = chosen(asked)
    log = Journal(kind, None, tell)
    if kind != NONE:
        try:
            log = Journal(kind, opened(kind, name, run), tell)
        except Exception as bad:  # noqa: BLE001 - their packages raise anything
            log.give_up(bad)
    try:
        yield log
    except BaseException:
        log.close(True)
        raise
    log.close(False)


def _without_keys(words: str) -> str:
    """Words of somebody else's without the values of variables that hold keys, and without logins in addresses."""
    for name, value in os.environ.items():
        if value and _KEYS.search(name.upper()):
            words = words.replace(value, "***")
    return _LOGIN.sub("://***@", words)
