"""`python -m loadtests SCENARIO`: a load test as a scenario says, from this machine; what `make load` runs.

A scenario is a file or the name of one in `loadtests/scenarios`. Without a host in it or on the command line the
gateway is asked, wherever the cluster's settings say it is. Exit code 0: passed, 1: not passed, 2: no verdict. What
follows a second `--` goes to Locust, `--processes 2` for one. `python -m loadtests compare BEFORE.json AFTER.json` sets
two reports beside each other.
"""

import argparse
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.gateway_address import reached
from modelyard.clients.inference.predictions import silence
from modelyard.errors import InvalidSettings, ModelyardError
from modelyard.settings import Settings

from .reports.comparing import compare, read_report, text
from .scenario import Scenario, read_scenario

HERE = Path(__file__).resolve().parent
SCENARIOS = HERE / "scenarios"
_NO_VERDICT = 2


def scenario_file(named: str) -> Path:
    """The file that is meant; raises InvalidSettings, with the names there are, when there is none."""
    for path in (Path(named), SCENARIOS / f"{named}.yaml"):
        if path.is_file():
            return path
    there = ", ".join(sorted(path.stem for path in SCENARIOS.glob("*.yaml")))
    raise InvalidSettings(f"there is no scenario {named}: name a file, or one of {there}.")


@contextmanager
def asked(scenario: Scenario, given: str) -> Iterator[str]:
    """The URL to ask, as long as the context lasts. Raises Unreachable when no address of the gateway answers."""
    if given or scenario.host:
        yield given or scenario.host
        return
    with reached(Settings.read(), lambda: Cluster(access()), silence) as gateway:
        yield gateway.url


def command(path: Path, url: str, report: Path, more: Sequence[str] = ()) -> list[str]:
    """What runs the load test."""
    locust = str(Path(sys.executable).with_name("locust"))
    return [
        locust, "--locustfile", str(HERE / "locustfile.py"), "--headless", "--only-summary", "--loglevel", "WARNING",
        "--scenario", str(path), "--host", url, "--report", str(report), *more,
    ]  # fmt: skip


def compared(files: Sequence[str]) -> int:
    """Prints two reports beside each other; raises InvalidSettings for what is none."""
    if len(files) != 2:
        raise InvalidSettings("name two reports: compare BEFORE.json AFTER.json.")
    before, after = (read_report(Path(file)) for file in files)
    print(text(compare(before, after), *files))
    return 0


def main(words: Sequence[str]) -> int:
    """The exit code of the load test; 2 with a sentence when it cannot be begun."""
    parser = argparse.ArgumentParser(prog="python -m loadtests", description=__doc__)
    parser.add_argument("scenario", help="A file, or a name in loadtests/scenarios")
    parser.add_argument("--host", default="", help="URL to ask in place of the scenario's or the gateway's")
    parser.add_argument("--report", default=".modelyard/loadtests", help="Folder for the whole report (JSON)")
    parser.add_argument("more", nargs="*", help="Flags for Locust, after --")
    try:
        if words[:1] == ["compare"]:
            return compared(words[1:])
        given = parser.parse_args(words)
        path = scenario_file(given.scenario)
        scenario = read_scenario(path)
        seconds = scenario.arrivals(path.parent).seconds
        report = Path(given.report, f"{path.stem}.json")
        report.parent.mkdir(parents=True, exist_ok=True)
        with asked(scenario, given.host) as url:
            print(f"{path.stem}: asking {scenario.model} at {url} for {seconds:.0f} s", flush=True)
            port = str(_free_port())  # between Locust's processes; its own default serves one load test on a machine
            ports = {"LOCUST_MASTER_BIND_PORT": port, "LOCUST_MASTER_NODE_PORT": port}
            done = subprocess.run(command(path, url, report, given.more), env=os.environ | ports, check=False)
            return done.returncode
    except ModelyardError as bad:
        print(f"{bad}", file=sys.stderr)
        return _NO_VERDICT


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
