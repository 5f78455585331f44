"""`modelyard loadtest NAME --scenario FILE`: load on a Model, from here or from a Job, and the verdict on its promises.

The suite is `loadtests/` of the repository, which the builder's image has too: a program of its own, because Locust
changes the process it runs in. Exit code 0 when the Model passed, 1 when it did not, 2 when there is no verdict or the
request has to change. `modelyard loadtest compare BEFORE.json AFTER.json` sets two reports beside each other.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelyard.cli.terminal.console import out
from modelyard.cli.terminal.options import Namespace
from modelyard.clients.cluster.context import current_namespace
from modelyard.core.resources.load_jobs import MOST_WORKERS, LoadTestRequest
from modelyard.errors import InvalidSettings

if TYPE_CHECKING:
    from modelyard.clients.cluster.api_server import Cluster

SUITE = "MODELYARD_LOADTESTS"
"""Variable with the folder that holds `loadtests/`, where it is neither in a checkout nor in the image."""
_COMPARE = "compare"
_IMAGE = Path("/opt")


def loadtest(
    name: Annotated[str, typer.Argument(help="Name of the Model; or: compare BEFORE.json AFTER.json.")],
    reports: Annotated[list[str] | None, typer.Argument(help="For compare: two reports.")] = None,
    namespace: Namespace = "",
    scenario: Annotated[
        str, typer.Option(help="A file, or a name in loadtests/scenarios.", metavar="FILE")
    ] = "digits-steady",
    host: Annotated[str, typer.Option(help="URL to ask in place of the gateway's.")] = "",
    in_cluster: Annotated[bool, typer.Option("--in-cluster", help="Run it as a Job in the cluster.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, max=MOST_WORKERS, help="Processes that make the load; their records add up.")
    ] = 1,
    report: Annotated[Path, typer.Option(help="Folder for the whole report, JSON and HTML.")] = Path(
        ".modelyard/loadtests"
    ),
) -> None:
    """Put the load of a scenario on a Model and say whether it kept its promises."""
    if name == _COMPARE:
        raise typer.Exit(_suite("compare", *(reports or [])).returncode)
    if reports:
        raise InvalidSettings("name one Model; what to ask it stands in the file of --scenario.")
    plan = _described(scenario)
    asked = host or plan["host"]
    where = namespace or plan["namespace"] or ("" if asked else current_namespace())
    if in_cluster and asked:
        raise InvalidSettings(
            "--in-cluster asks the cluster's own gateway: leave host out of the scenario and the flags."
        )
    if not asked:
        cluster = _with_model(name, where)
        if in_cluster:
            raise typer.Exit(_as_job(cluster, name, where, plan, workers, report))
    more = ["--", "--model", name, *(["--namespace", where] if where else [])]
    more += ["--processes", str(workers)] if workers > 1 else []
    aside = ["--host", host] if host else []
    raise typer.Exit(_suite(scenario, *aside, "--report", str(report), *more).returncode)


def _described(scenario: str) -> dict[str, Any]:
    done = _suite("describe", scenario, quiet=True)
    if done.returncode:
        raise InvalidSettings(done.stderr.strip() or f"the scenario {scenario} cannot be read.")
    return json.loads(done.stdout)


def _with_model(name: str, namespace: str) -> "Cluster":
    """The cluster; raises InvalidModel when it has no such Model."""
    from modelyard.clients.cluster.access import access
    from modelyard.clients.cluster.api_server import Cluster
    from modelyard.clients.cluster.models import read

    cluster = Cluster(access())
    read(cluster, namespace, name)
    return cluster


def _as_job(cluster: "Cluster", name: str, namespace: str, plan: dict[str, Any], workers: int, folder: Path) -> int:
    from .loadtest_job import run

    request = LoadTestRequest(name, namespace, plan["scenario"], plan["files"], plan["seconds"], workers)
    ended = run(cluster, request, lambda line: out().print(line, highlight=False, markup=False))
    out().print(ended.message, soft_wrap=True, markup=False, highlight=False)
    if ended.report:
        path = folder / f"{Path(plan['scenario']).stem}.json"
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(ended.report, encoding="utf-8")
        _suite("page", str(path))
        out().print(f"the whole report: {path} and {path.with_suffix('.html').name} beside it", soft_wrap=True)
    return ended.code


def _suite(*words: str, quiet: bool = False) -> "subprocess.CompletedProcess[str]":
    """The suite's own command line, with what it prints kept when `quiet`."""
    place = str(_suite_folder())
    path = os.pathsep.join(filter(None, (place, os.environ.get("PYTHONPATH", ""))))
    return subprocess.run(
        [sys.executable, "-m", "loadtests", *words],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=quiet,
        text=True,
        check=False,
    )


def _suite_folder() -> Path:
    """The folder that holds `loadtests/`; raises InvalidSettings where there is none."""
    named = os.environ.get(SUITE)
    places = [Path(named)] if named else [*Path(__file__).resolve().parents, _IMAGE]
    found = next((place for place in places if (place / "loadtests" / "locustfile.py").is_file()), None)
    if found is None:
        raise InvalidSettings(
            "the load tests are not here: run this in a checkout of Modelyard or the builder's image, or name the "
            f"folder that holds loadtests/ in {SUITE}."
        )
    return found
