"""`modelyard mlflow`: what is registered in MLflow, brought into our registry."""

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from modelyard.cli.terminal.console import Output
from modelyard.cli.terminal.options import Sample

if TYPE_CHECKING:
    from modelyard.mlflow_settings import MlflowSettings
    from modelyard.mlflow_sync.synchronizer import RoundSummary, Synchronizer, SyncOptions

_log = logging.getLogger(__name__)
app = typer.Typer(
    help="Bring models that are registered in MLflow into the registry.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def _mlflow() -> None:
    """Bring models that are registered in MLflow into the registry."""


@app.command("sync")
def sync(
    names: Annotated[
        list[str] | None, typer.Argument(help="Entry names, or NAME:VERSION; MLflow's Fraud Check is fraud-check.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every registered model.")] = False,
    newest: Annotated[bool, typer.Option(help="The newest version too, not only those with an alias.")] = True,
    sample: Sample = None,
    trust_pickle: Annotated[
        bool, typer.Option("--trust-pickle", help="Read what may run code: pickles, programs of PyTorch and Keras.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Follow the cluster's Models, round after round, until told to stop.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")] = Output.TABLE,
) -> None:
    """Bring versions in, and let aliases mean what they mean in MLflow."""
    from modelyard.cli.terminal.console import say
    from modelyard.errors import InvalidSettings
    from modelyard.mlflow_sync.synchronizer import SyncOptions
    from modelyard.settings import Settings

    if watch == bool(names or everything):
        raise InvalidSettings("say what to bring in: names, --all, or --watch for what the cluster's Models name.")
    if sample is not None and len(names or ()) != 1:
        raise InvalidSettings("--sample has rows of one model: name that one.")
    settings = Settings.read().mlflow
    if watch:
        _follow(settings)
        return
    wanted: dict[str, set[str]] = {}
    for name in names or ():
        entry, _, version = name.partition(":")
        wanted.setdefault(entry, set()).update({version} if version else ())
    synchronizer = _synchronizer(settings, SyncOptions(newest, trust_pickle, sample, say))
    summary = synchronizer.round(None if everything else wanted)
    _print(summary, output)
    if summary.refused or summary.missing:
        raise typer.Exit(2)


def _synchronizer(settings: "MlflowSettings", options: "SyncOptions") -> "Synchronizer":
    from modelyard.cli.connection import open_store
    from modelyard.clients.mlflow import MlflowServer
    from modelyard.mlflow_sync.synchronizer import Synchronizer

    return Synchronizer(MlflowServer(settings), open_store(), options)


def _follow(settings: "MlflowSettings") -> None:
    """The process in the cluster, until SIGTERM or Ctrl-C."""
    import signal
    import threading

    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.list_watch import ListWatch
    from modelyard.clients.mlflow import MlflowServer
    from modelyard.core.kinds import MODEL
    from modelyard.mlflow_sync.followed import FollowedModels
    from modelyard.mlflow_sync.process import SyncProcess, endpoints
    from modelyard.mlflow_sync.synchronizer import SyncOptions
    from modelyard.mlflow_sync.write_back import WriteBack
    from modelyard.operator import json_logs

    json_logs.start("INFO")
    followed = FollowedModels(lambda: process.hint())
    back = WriteBack(MlflowServer(settings), settings.promoted_alias) if settings.write_back else None
    options = SyncOptions(say=lambda line: _log.info("converted", extra={"fields": {"said": line}}))
    process = SyncProcess(_synchronizer(settings, options), followed, back, settings.interval_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.stop())
    models = ListWatch(Cluster(access(), 2), MODEL, "", "", followed)
    server = endpoints(process, settings.port, settings.webhook_secret.get_secret_value())
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    models.start()
    process.run()
    models.stop()
    server.shutdown()
    server.server_close()


def _print(summary: "RoundSummary", output: Output) -> None:
    from modelyard.cli.terminal.console import dump, out

    if output is not Output.TABLE:
        dump(
            {
                "names": summary.names,
                "pushed": [{"name": name, "version": version} for name, version in sorted(summary.pushed)],
                "aliases": [
                    {"name": name, "alias": alias, "version": version} for name, alias, version in sorted(summary.moved)
                ],
                "refused": [
                    {"name": name, "version": version, "reason": refusal.reason, "message": refusal.message}
                    for name, version, refusal in sorted(summary.refused, key=lambda row: row[:2])
                ],
                "missing": sorted(summary.missing),
            },
            output,
        )
        return
    lines = [f"brought in {name}:{version}" for name, version in sorted(summary.pushed)]
    lines += [f"{name}@{alias} is now {name}:{version}" for name, alias, version in sorted(summary.moved)]
    lines += [
        f"refused {name}:{version}: {why.message}"
        for name, version, why in sorted(summary.refused, key=lambda row: row[:2])
    ]
    lines += sorted(summary.missing)
    for line in lines or [f"nothing new in {summary.names} registered models"]:
        out().print(line, markup=False, soft_wrap=True)
