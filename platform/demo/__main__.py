"""`python -m demo`: exit code 0 when everything worked and no request failed, 1 otherwise."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.columns import Columns
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from modelyard.api.model import Model
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.inference.predictions import Endpoint, connect
from modelyard.core.names import host
from modelyard.errors import ModelyardError
from modelyard.settings import Settings

from .load import Load
from .picture import drawn
from .stage import ROOT, DemoFailed, Stages, kubeconfig
from .watching import plain, until_ready

if TYPE_CHECKING:
    import numpy as np

NAMESPACE, NAME = "demo", "digits"
ENTRIES = ("digits/1", "digits/2", "breast-cancer/1")
PICTURES = "model-repo/digits/1/eval.npz"
CLUSTER, PUSH, APPLY, PREDICT, ROLL_OUT = "cluster", "push the entries", "apply a Model", "predict", "canary under load"
PATIENCE_SECONDS = 300.0
CANARY = "platform/demo/canary.yaml"
CLIENTS = 4
LOAD_SECONDS, LOAD_LIMIT_SECONDS = 20.0, 180.0


class Demo:
    """The stages, with what one finds out for the next."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.stages = Stages(console, (CLUSTER, PUSH, APPLY, PREDICT, ROLL_OUT))
        self.failed = 0

    def run(self) -> None:
        """All stages; raises DemoFailed or a ModelyardError."""
        with self.stages.stage(CLUSTER):
            self.stages.command(sys.executable, "-m", "localcluster", "up")
        settings, cluster = Settings.read(), Cluster(access(kubeconfig()))
        endpoint = Endpoint(
            settings.gateway.public_url or settings.gateway.url, NAME, host(NAME, NAMESPACE, settings.gateway.domain)
        )
        with self.stages.stage(PUSH):
            for entry in ENTRIES:
                self.stages.command("modelyard", "push", f"model-repo/{entry}")
        with self.stages.stage(APPLY):
            self.stages.command("kubectl", "apply", "-f", "manifests/digits.yaml")
            model = until_ready(self.console, cluster, NAMESPACE, NAME, "1", plain, PATIENCE_SECONDS)
        with self.stages.stage(PREDICT):
            self._predict(endpoint)
        with self.stages.stage(ROLL_OUT):
            model = self._roll_out(cluster, endpoint)
            self._ask(endpoint, _a_picture()[0], grpc=False)
        self._close(model, endpoint)

    def _predict(self, endpoint: Endpoint) -> None:
        image, label = _a_picture()
        picture = drawn(image[0, 0].tolist(), colours=self.console.is_terminal and not self.console.no_color)
        frame = Panel(picture, title=f"a handwritten {label}", expand=False)
        self.console.print(Columns([frame]))
        self._ask(endpoint, image, grpc=False)
        self._ask(endpoint, image, grpc=True)

    def _ask(self, endpoint: Endpoint, image: "np.ndarray", *, grpc: bool) -> None:
        connection = connect(endpoint, grpc=grpc)
        try:
            described = connection.describe()
            started = time.monotonic()
            answer = connection.predict({described.inputs[0].name: image})
            took = 1000 * (time.monotonic() - started)
        finally:
            connection.close()
        digit = int(next(iter(answer.outputs.values()))[0].argmax())
        protocol = "gRPC" if grpc else "HTTP"
        self.console.print(
            f"  {protocol} says [bold green]{digit}[/], revision {answer.revision}, {took:.1f} ms", highlight=False
        )

    def _roll_out(self, cluster: Cluster, endpoint: Endpoint) -> Model:
        image, _ = _a_picture()
        name = connect(endpoint).describe().inputs[0].name
        started = time.monotonic()
        with Load(endpoint, {name: image}, CLIENTS, LOAD_LIMIT_SECONDS) as load:

            def beside() -> str:
                return f"and {load.tally.requests} requests, {load.tally.failed.total()} failed"

            self.stages.command("kubectl", "apply", "-f", CANARY)
            limit = LOAD_LIMIT_SECONDS - 2 * LOAD_SECONDS
            model = until_ready(self.console, cluster, NAMESPACE, NAME, "2", beside, limit)
            time.sleep(max(2.0, LOAD_SECONDS - (time.monotonic() - started)))
        tally = load.tally
        self.failed = tally.failed.total()
        colour = "red" if self.failed else "green"
        each = ", ".join(f"{count} over {protocol}" for protocol, count in sorted(tally.answered.items()))
        by = ", ".join(f"{count} by {revision}" for revision, count in tally.by.items())
        self.console.print(f"  {tally.requests} requests ({each}; {by})", highlight=False)
        self.console.print(f"  [bold {colour}]{self.failed} failed[/] {escape(tally.last_failure)}", highlight=False)
        self.stages.command("modelyard", "rollout", "history", NAME, "-n", NAMESPACE)
        return model

    def _close(self, model: Model, endpoint: Endpoint) -> None:
        url = model.status.path_url or model.status.url
        version_1 = "kubectl apply -f manifests/digits.yaml"
        change = """kubectl -n demo patch model digits --type=merge -p '{"spec":{"source":{"version":"9"}}}'"""
        chosen = f" MODELYARD_CLUSTER={os.environ['MODELYARD_CLUSTER']}" if "MODELYARD_CLUSTER" in os.environ else ""
        lines = [
            "[bold]Use it[/]",
            f"  export KUBECONFIG={_short(kubeconfig())} PATH=$PWD/.venv/bin:$PATH",
            f"  curl -s {url}/v2/models/{NAME}",
            f"  gRPC at {endpoint.url.removeprefix('http://')}, authority {model.status.grpc or endpoint.host}",
            "[bold]Try next[/]",
            f"  1. Ask it:             modelyard predict {NAME} -n {NAMESPACE} --grpc --first 3 --input {PICTURES}",
            f"  2. Back to version 1:  {version_1} && modelyard rollout watch {NAME} -n {NAMESPACE}",
            f"  3. Make a mistake:     {escape(change)}",
            f"     and hear of it:     modelyard explain {NAME} -n {NAMESPACE}",
            f"[dim]make cluster-down{chosen} ends it all.[/]",
        ]
        self.console.print(self.stages.shares())
        if self.console.is_terminal:
            self.console.print(Panel("\n".join(lines), title="Modelyard runs", expand=False, border_style="green"))
        else:
            self.console.print("\n".join(lines), highlight=False, soft_wrap=True)


def _a_picture() -> "tuple[np.ndarray, int]":
    """The first held-out digit that the author's version 1 recognised, and its label."""
    import numpy as np

    with np.load(ROOT / PICTURES) as held_out:
        labels, logits = held_out["labels"], held_out["output:logits"]
        chosen = int(np.flatnonzero(logits.argmax(axis=1) == labels)[0])
        return held_out["input:input"][chosen : chosen + 1], int(labels[chosen])


def _short(path: Path) -> str:
    """Relative to the repository where possible, as one would type it there."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def main() -> int:
    """Run the demo; a failure ends in one sentence and, for a Model, in what `explain` says."""
    console = Console(highlight=False)
    demo = Demo(console)
    try:
        demo.run()
    except (DemoFailed, ModelyardError) as bad:
        console.print(f"[bold red]The demo stopped:[/] {escape(str(bad))}", soft_wrap=True)
        if APPLY in demo.stages.seconds:
            try:
                demo.stages.command("modelyard", "explain", NAME, "-n", NAMESPACE)
            except DemoFailed:
                return 1
        return 1
    finally:
        demo.stages.record()
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
