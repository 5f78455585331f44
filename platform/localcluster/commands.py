"""The commands: up, down, status, images, apiserver."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from . import addons, apiserver, node, paths, toolchain
from .bringup import Bringup
from .errors import ClusterError
from .progress import Display, explain
from .steps import Graph
from .task import Task

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console()


@app.command()
def up(
    chosen: Annotated[str, typer.Option("--addons", help="Add-ons, separated by commas: keda, monitoring.")] = "",
) -> None:
    """Start the cluster, or complete what is half started."""
    toolchain.require_root()
    bringup = Bringup(paths.default(), addons.parsed(chosen))
    with Display("Local cluster", console) as display:
        Graph(bringup.steps(), bringup.paths.logs, display.changed).run()
    console.print(f"KUBECONFIG={bringup.paths.kubeconfig}")


@app.command()
def down() -> None:
    """End the cluster; caches stay."""
    toolchain.require_root()
    where = paths.default()
    ended = node.down(where, Task(where.logs / "down.log"))
    console.print("The local cluster is down." if ended else "No local cluster was running.")


@app.command("apiserver")
def api_server(
    folder: Annotated[Path, typer.Option("--dir", help="Folder for its data, keys and logs.")],
    crds: Annotated[str, typer.Option(help="CRDs to install, separated by commas: gateway, kserve.")] = "",
) -> None:
    """Run only etcd and kube-apiserver on loopback, until interrupted."""
    apiserver.serve(folder, [name for name in crds.split(",") if name])


def main() -> None:
    """Run the command line; a failure ends with exit code 1 and a sentence."""
    try:
        app()
    except ClusterError as problem:
        explain(problem, Console(stderr=True))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
