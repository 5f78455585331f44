"""Waiting until a Model is where the story goes on, with what is known of it in view."""

import time
from collections.abc import Callable

from rich.console import Console
from rich.live import Live
from rich.text import Text

from demo.stage import DemoFailed
from demo.watching import seen
from modelyard.api.model import Model
from modelyard.clients.cluster.api_server import Cluster

_EVERY_SECONDS = 2.0


class Waiting:
    """Looks at one Model; `beside` is said along, such as how many have asked."""

    def __init__(
        self, console: Console, cluster: Cluster, namespace: str, name: str, beside: Callable[[], str]
    ) -> None:
        self._console, self._cluster, self._beside = console, cluster, beside
        self._namespace, self._name = namespace, name

    def until(self, what: str, there: Callable[[Model], bool], limit: float) -> Model:
        """The Model once `there` says so. Raises DemoFailed after `limit` seconds."""
        started, said = time.monotonic(), ""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                model = seen(self._cluster, self._namespace, self._name)
                elapsed = time.monotonic() - started
                if model is not None and there(model):
                    self._console.print(f"  [green]✓[/] {what} [dim]({elapsed:.0f} s)[/]", highlight=False)
                    return model
                if elapsed > limit:
                    raise DemoFailed(f"waited {limit:.0f} s in vain until {what}")
                now = known(model) if model is not None else ""
                if self._console.is_terminal:
                    line = f"  … until {what}: {elapsed:.0f} s, {now}; {self._beside()}"
                    live.update(Text(line, style="dim"), refresh=True)
                elif now != said:
                    said = now
                    self._console.print(f"  {elapsed:5.0f} s  {now}", highlight=False, soft_wrap=True, markup=False)
                time.sleep(_EVERY_SECONDS)


def known(model: Model) -> str:
    """Version, rows, answers, retraining and rollout, in a few words."""
    status = model.status
    told = status.monitoring
    words = [f"version {status.version or '-'}"]
    if told is not None and told.data is not None:
        words.append(told.data.verdict)
    if told is not None and told.performance is not None:
        words.append(told.performance.verdict)
    if status.retraining is not None:
        words.append(f"retraining {status.retraining.state}/{status.retraining.reason}")
    if status.rollout is not None and status.rollout.active:
        words.append(f"rollout {status.rollout.phase} {status.rollout.weight} %")
    return ", ".join(words)
