"""The commands: up, down, status, images, apiserver."""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from . import apiserver, bringup, existing, paths, status
from .cache import locked
from .errors import ClusterError, NotPossible
from .image_builds.catalogue import GPU
from .image_builds.steps import Making
from .install import addons
from .install.kubernetes import Kubernetes
from .kind import bringup as kind_bringup
from .kind import commands as kind
from .node import members, process
from .programs import toolchain
from .steps.graph import Graph, Step
from .steps.progress import Display, explain
from .steps.task import Task
from .versions import platform_image

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
console = Console()


Addons = Annotated[str, typer.Option("--addons", help=f"Add-ons, separated by commas: {', '.join(addons.NAMES)}.")]


Nodes = Annotated[str, typer.Option("--nodes", help=f"Nodes of a new cluster: 1 to {members.MOST}; 1 by default.")]


@app.command()
def up(chosen: Addons = "", nodes: Nodes = "") -> None:
    """Start the cluster, or complete what is half started; MODELYARD_CLUSTER=existing only checks yours."""
    if nodes and (existing.chosen() or kind.chosen()):
        raise NotPossible("NODES is for the cluster without Docker: leave it out, or MODELYARD_CLUSTER.")
    if existing.chosen():
        _check_existing()
        return
    where = paths.default()
    if kind.chosen():
        if addons.parsed(chosen):
            raise NotPossible(
                "Add-ons are for the cluster without Docker: leave out ADDONS, or MODELYARD_CLUSTER=kind."
            )
        _carry_out("kind cluster", kind_bringup.steps(where), where)
    else:
        toolchain.require_root()
        count = members.parsed(nodes, where.state)
        _carry_out("Local cluster", bringup.steps(where, addons.parsed(chosen), count), where)
    console.print(f"KUBECONFIG={where.kubeconfig}")


@app.command("status")
def show_status() -> None:
    """Show what runs; exit code 1 unless everything is well."""
    if existing.chosen():
        _check_existing()
        return
    where = paths.default()
    task = Task(where.logs / "status.log")
    rows = kind.lines(where, task) if kind.chosen() else status.lines(where, task)
    console.print(status.table(rows))
    if not all(row.well for row in rows):
        raise typer.Exit(1)


def _check_existing() -> None:
    """Tell what the caller's cluster lacks; exit code 1 when it lacks anything."""
    where = paths.default()
    kubernetes = Kubernetes(existing.kubeconfig())
    found = existing.problems(existing.facts(kubernetes, Task(where.logs / "existing.log")))
    for problem in found:
        console.print(f"[red]✗[/] {problem.sentence}", soft_wrap=True)
    if found:
        console.print(f"Install what is missing with:\n  {existing.remedy(found)}", soft_wrap=True)
        raise typer.Exit(1)
    console.print(f"[green]✓[/] The cluster of {kubernetes.kubeconfig} has everything Modelyard needs.")


@app.command("images")
def refresh_images(chosen: Addons = "") -> None:
    """Build the platform's images anew where their sources changed, import them and restart the operator."""
    where = paths.default()
    if kind.chosen():
        _carry_out("Images", kind_bringup.image_steps(where), where)
        return
    toolchain.require_root()
    if not process.find(where):
        raise NotPossible("No local cluster runs here: start one with `make cluster`.")
    _carry_out("Images", bringup.image_steps(where, addons.parsed(chosen)), where)


@app.command("images-gpu")
def gpu_images() -> None:
    """Build the image for GPU nodes (gigabytes) into the cache; no cluster is needed, and none is changed."""
    toolchain.require_root()
    where = paths.default()
    making = Making(where, [GPU])
    _carry_out("Images for GPUs", making.steps_for("builder-gpu"), where)
    archive, _ = making.archives[platform_image("builder-gpu")]
    console.print(f"For your registry: skopeo copy docker-archive:{archive} docker://...", soft_wrap=True)


def _carry_out(title: str, steps: Sequence[Step], where: paths.Paths) -> None:
    """Run steps with a display; only one command at a time changes a clone's cluster."""
    with locked(where.home / "cluster.lock", _busy), Display(title, console) as display:
        Graph(steps, where.logs, display.changed).run()


@app.command()
def down() -> None:
    """End the cluster; caches stay."""
    if existing.chosen():
        raise NotPossible("MODELYARD_CLUSTER=existing names a cluster of yours, which is not ended from here.")
    in_kind = kind.chosen()
    if not in_kind:
        toolchain.require_root()
    where = paths.default()
    with locked(where.home / "cluster.lock", _busy):
        task = Task(where.logs / "down.log")
        ended = kind.down(task) if in_kind else process.down(where, task)
    name = "kind" if in_kind else "local"
    console.print(f"The {name} cluster is down." if ended else f"No {name} cluster was running.")


def _busy() -> None:
    console.print("Waiting for another command that works on this cluster.")


@app.command("apiserver")
def api_server(
    folder: Annotated[Path, typer.Option("--dir", help="Folder for its data, keys and logs.")],
    crds: Annotated[str, typer.Option(help="CRDs to install, separated by commas: gateway, kserve.")] = "",
) -> None:
    """Run only etcd and kube-apiserver on loopback, until interrupted."""
    apiserver.serve(folder, [name for name in crds.split(",") if name])


def main() -> None:
    """Run the command line; a failure ends with exit code 1 and a sentence."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except ClusterError as problem:
        explain(problem, Console(stderr=True))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
