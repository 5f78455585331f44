"""The stages, in order, with the commands a person would type; `demo.monitoring` has them as a table."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from demo.stage import DemoFailed, Stages, kubeconfig, output_of
from modelyard.api.lifecycle.retraining_status import RetrainingOutcome, RetrainingRun
from modelyard.api.model import Model
from modelyard.api.monitoring.performance import PerformanceVerdict
from modelyard.api.monitoring.status import DataVerdict
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.names import RECORDED_LABEL
from modelyard.core.prometheus_rules.data_alerts import BROKEN, DECAYED
from modelyard.settings import Settings

from .asking import Asking
from .people import batches, census
from .receivers import AlertMessage, Receivers
from .waiting import Waiting

NAMESPACE, NAME, ENTRY = "demo-monitoring", "census", "census-demo"
MANIFEST = "platform/demo/monitoring/model.yaml"
ADDONS = "monitoring,recording,training"
CLUSTER, RECEIVERS, SERVE, PEOPLE = "cluster", "a mail server and a Slack channel", "serve", "people ask"
DRIFT, DECLARE, DECAY = "thirty years later", "somebody looks", "what was right becomes known"
RETRAINING, CANARY, HEALTHY = "retraining", "canary by evidence", "healthy again"
STAGES = (CLUSTER, RECEIVERS, SERVE, PEOPLE, DRIFT, DECLARE, DECAY, RETRAINING, CANARY, HEALTHY)
ROWS, BEFORE_A_SECOND, LATER_A_SECOND = 4, 2.0, 8.0
PEOPLE_SECONDS = 90.0
SOON, MINUTES, TRAINED = 120.0, 600.0, 900.0
"""How long is waited: for what happens at once, for minutes that settle, for a Job."""
LOOK_AGAIN_SECONDS = 2.0
COLUMNS = '[{"name":"input[6]","min":0,"max":999999},{"name":"input[7]","min":0,"max":99999}]'
DECLARED = f'{{"spec":{{"monitoring":{{"quality":{{"columns":{COLUMNS}}}}}}}}}'
_MODEL = (NAME, "-n", NAMESPACE)
_LOOKED = (0, 1, 2)
"""Codes of verbs that say by them what they found."""


class Story:
    """Runs once; `moments` are (seconds since the people changed, what happened)."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.stages = Stages(console, STAGES)
        self.moments: list[tuple[float, str]] = []
        self.shares: list[tuple[str, float]] = []
        self.messages: list[AlertMessage] = []
        self.failures = self.requests = 0
        self._changed = time.monotonic()

    def run(self) -> None:
        """All stages; what was made is gone afterwards, however it ends. Raises DemoFailed or a ModelyardError."""
        with self.stages.stage(CLUSTER):
            if not os.environ.get("MODELYARD_CLUSTER_IS_UP"):
                self.stages.command(sys.executable, "-m", "localcluster", "up", "--addons", ADDONS)
            _cleaned_up()
            output_of("kubectl", "apply", "-f", "-", stdin=_NAMESPACE)
        with ExitStack() as left:
            left.callback(_cleaned_up)
            with self.stages.stage(RECEIVERS):
                receivers = left.enter_context(Receivers(output_of, NAMESPACE))
                self.console.print("  Alertmanager tells both of pages, and of tickets by mail alone.")
            with self.stages.stage(SERVE):
                self._serve()
            people = batches("synthetic", ROWS, 1)
            asking = left.enter_context(Asking(_gateway(), NAMESPACE, NAME, people, BEFORE_A_SECOND))
            try:
                self._live(asking, receivers)
            except DemoFailed:
                self.stages.command("modelyard", "explain", *_MODEL, codes=_LOOKED)
                raise
            self.requests, self.failures = asking.requests, asking.failures
            self.messages = receivers.messages(f"{NAMESPACE}/{NAME}")

    def _live(self, asking: Asking, receivers: Receivers) -> None:
        """From the first request on."""
        cluster = Cluster(access(kubeconfig()))
        waiting = Waiting(
            self.console, cluster, NAMESPACE, NAME, lambda: f"{asking.requests} requests, {asking.failures} failed"
        )
        with self.stages.stage(PEOPLE):
            self._people(asking)
        with self.stages.stage(DRIFT):
            self._drift(asking, waiting, receivers)
        with self.stages.stage(DECLARE):
            self._declare()
        with self.stages.stage(DECAY):
            self._decay(asking, waiting, receivers)
        with self.stages.stage(RETRAINING):
            made = self._retraining(waiting)
        with self.stages.stage(CANARY):
            waiting.until(f"version {made} serves", lambda model: model.status.version == made, MINUTES)
            self._happened(f"version {made} is promoted")
            self.stages.command("modelyard", "rollout", "history", *_MODEL)
        with self.stages.stage(HEALTHY):
            self._healthy(asking, waiting, receivers)

    def _serve(self) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            folder = census("with_recipe").write(Path(scratch) / "entry", ENTRY, "1")
            self.stages.command("modelyard", "push", str(folder))
        self.stages.command("modelyard", "alias", "set", ENTRY, "challenger", "1")
        self.stages.command("kubectl", "apply", "-f", MANIFEST)
        self.stages.command(
            "kubectl", "wait", "-n", NAMESPACE, f"model/{NAME}", "--for=condition=Ready", "--timeout=300s"
        )
        self._eventually("requests are recorded", lambda: len(_recorded_routes()) >= 3, SOON)

    def _people(self, asking: Asking) -> None:
        time.sleep(PEOPLE_SECONDS)
        self._share("version 1, people that it knows", asking)
        self.stages.command("modelyard", "get", *_MODEL)

    def _drift(self, asking: Asking, waiting: Waiting, receivers: Receivers) -> None:
        asking.people, asking.rate = batches("later", ROWS, 2), LATER_A_SECOND
        self._changed = time.monotonic()
        asking.count_anew()
        self.console.print("  Money is worth less, and crafts earn more than offices: other people ask now.")
        waiting.until("rows are unlike the reference", lambda model: _data(model) is DataVerdict.BROKEN, MINUTES)
        self._happened("the evaluator sees sums beyond all that the reference has")
        self.stages.command("modelyard", "drift", *_MODEL, codes=_LOOKED)
        self._told(receivers, BROKEN)

    def _declare(self) -> None:
        self.console.print("  The sums are right, dollars are worth less: the spec says so from now on.")
        self.stages.command("kubectl", "patch", "model", *_MODEL, "--type=merge", "-p", DECLARED)
        self._happened("somebody says that these sums are right")

    def _decay(self, asking: Asking, waiting: Waiting, receivers: Receivers) -> None:
        labels = asking.hand_in()
        self.console.print(f"  POST /feedback: {labels} labels of what people were told.", highlight=False)
        self._share("version 1, people of later", asking)
        decayed = PerformanceVerdict.DECAYED
        waiting.until("answers are known to be wrong", lambda model: _performance(model) is decayed, MINUTES)
        self._happened("labels say that answers are wrong more often than the reference allows")
        self.stages.command("modelyard", "explain", *_MODEL, codes=_LOOKED)
        self._told(receivers, DECAYED)

    def _retraining(self, waiting: Waiting) -> str:
        """The version that was made."""
        waiting.until("a Job trains", lambda model: _run(model) is not None, MINUTES)
        self._happened("a retraining begins")
        self.stages.command("modelyard", "get", *_MODEL)
        last = _last(waiting.until("it has ended", lambda model: _last(model) is not None, TRAINED))
        if last is None or last.outcome is not RetrainingOutcome.PUSHED:
            raise DemoFailed(f"no version was pushed: {last.message if last is not None else 'nothing is said'}")
        self.console.print(f"  {escape(last.message)}", highlight=False, soft_wrap=True)
        self._happened(f"version {last.made} is pushed, and challenges")
        return last.made

    def _healthy(self, asking: Asking, waiting: Waiting, receivers: Receivers) -> None:
        waiting.until("nothing else is left of the rollout", _calm, MINUTES)
        asking.count_anew()
        time.sleep(10.0)
        self._share("the retrained version, people of later", asking)
        asking.hand_in()
        self._told(receivers, DECAYED, "RESOLVED")
        self._happened("the page ends")
        for verb in ("explain", "slo"):
            self.stages.command("modelyard", verb, *_MODEL, codes=_LOOKED)

    def _share(self, of: str, asking: Asking) -> None:
        share = asking.share_right()
        self.shares.append((of, share))
        self.console.print(f"  right answers, {of}: [bold]{100 * share:.0f} %[/]", highlight=False)

    def _told(self, receivers: Receivers, alert: str, status: str = "FIRING") -> None:
        """Waits until both have been told."""
        title = f"[{status}] {alert} {NAMESPACE}/{NAME}"

        def both() -> bool:
            return {message.by for message in receivers.messages(title)} == {"mail", "slack"}

        self._eventually(f"mail and Slack say {title}", both, MINUTES)
        self._happened(f"mail and Slack: {title}")
        first = receivers.messages(title)[0]
        self.console.print(f"  [bold]{escape(first.title)}[/]\n  {escape(first.text)}", highlight=False, soft_wrap=True)

    def _eventually(self, what: str, there: Callable[[], bool], limit: float) -> None:
        end = time.monotonic() + limit
        with self.console.status(f"until {what}"):
            while not there():
                if time.monotonic() > end:
                    raise DemoFailed(f"waited {limit:.0f} s in vain until {what}")
                time.sleep(LOOK_AGAIN_SECONDS)

    def _happened(self, what: str) -> None:
        self.moments.append((time.monotonic() - self._changed, what))


_NAMESPACE = f'{{"apiVersion": "v1", "kind": "Namespace", "metadata": {{"name": "{NAMESPACE}"}}}}'


def _cleaned_up() -> None:
    """The Model goes before its namespace, so that the operator takes all of it away."""
    output_of("kubectl", "delete", "model", NAME, "-n", NAMESPACE, "--ignore-not-found", "--timeout=120s")
    output_of("kubectl", "delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=180s")


def _gateway() -> str:
    gateway = Settings.read().gateway
    return gateway.public_url or gateway.url


def _recorded_routes() -> list[str]:
    kinds = "httproutes,grpcroutes"
    return output_of("kubectl", "get", kinds, "-n", NAMESPACE, "-l", f"{RECORDED_LABEL}=true", "-o", "name").split()


def _data(model: Model) -> DataVerdict | None:
    told = model.status.monitoring
    return told.data.verdict if told is not None and told.data is not None else None


def _performance(model: Model) -> PerformanceVerdict | None:
    told = model.status.monitoring
    return told.performance.verdict if told is not None and told.performance is not None else None


def _run(model: Model) -> RetrainingRun | None:
    """The retraining under way, or the one that has ended."""
    status = model.status.retraining
    return None if status is None else status.run or status.last


def _last(model: Model) -> RetrainingRun | None:
    return model.status.retraining.last if model.status.retraining is not None else None


def _calm(model: Model) -> bool:
    under_way = model.status.condition("Reconciling")
    return under_way is not None and under_way.status == "False"
