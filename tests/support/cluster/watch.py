"""What objects went through: every state that the API server told, in order, from one `kubectl get --watch`."""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.support.cluster.kubectl import PATIENCE, environment

Found = TypeVar("Found")


@dataclass(frozen=True)
class Sight:
    """One state and when it was seen, in seconds since the epoch."""

    at: float
    thing: dict[str, Any]


class Watch:
    """Use as a context manager; `seen` grows meanwhile. Without a `name` all objects of the kind are watched."""

    def __init__(self, kind: str, name: str, namespace: str) -> None:
        self.seen: list[Sight] = []
        self._news = threading.Condition()
        what = [kind, name] if name else [kind]
        self._command = ["kubectl", "get", *what, "-n", namespace, "--watch", "--show-managed-fields", "-o", "json"]

    def __enter__(self) -> "Watch":
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment()
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()

    def until(self, answer: Callable[[dict[str, Any]], Found | None], wanted: str, seconds: float = PATIENCE) -> Found:
        """The first truthy result of `answer` for the newest state or a later one; fails with `wanted` after `seconds`.

        Every state that comes is looked at, also those that are over when this process has its turn again.
        """
        end = time.monotonic() + seconds
        with self._news:
            looked = max(len(self.seen) - 1, 0)
            while True:
                for sight in self.seen[looked:]:
                    result = answer(sight.thing)
                    if result:
                        return result
                looked = len(self.seen)
                left = end - time.monotonic()
                assert left > 0, f"waited {seconds:.0f} s in vain until {wanted}; {self._last()}"
                self._news.wait(left)

    def _read(self) -> None:
        """kubectl prints each state over several lines, of which the last is a lone brace."""
        assert self._process.stdout is not None
        lines: list[str] = []
        for line in self._process.stdout:
            lines.append(line)
            if line.rstrip() == "}" and not line.startswith(" "):
                with self._news:
                    self.seen.append(Sight(time.time(), json.loads("".join(lines))))
                    self._news.notify_all()
                lines = []

    def _last(self) -> str:
        status = self.seen[-1].thing.get("status", {}) if self.seen else {}
        return json.dumps(status.get("rollout", status))[:3000]
