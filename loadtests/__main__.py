"""`python -m loadtests SCENARIO`: a load test as a scenario says, from this machine; what `make load` runs.

A scenario is a file or the name of one in `loadtests/scenarios`. Without a host in it or on the command line the
gateway is asked, wherever the cluster's settings say it is. Exit code 0: passed, 1: not passed, 2: no verdict. What
follows a second `--` goes to Locust, `--processes 2` for one.

    python -m loadtests compare BEFORE.json AFTER.json    sets two reports beside each other
    python -m loadtests describe SCENARIO                 checks a scenario and says what it needs
    python -m loadtests page REPORT.json                  writes the page beside a report

In a Job the scenario's files are those of a variable (`reports/inlined.py`), and the last line of its log is the whole
report.
"""

import argparse
import json
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
from .reports.inlined import REPORT_LINE, packed, unpacked
from .reports.page import page
from .reports.publishing import publish, push
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
    parser = argparse.ArgumentParser(prog="python -m loadtests", epilog="What follows -- goes to Locust.")
    parser.add_argument("scenario", help="A file, or a name in loadtests/scenarios")
    parser.add_argument("--host", default="", help="URL to ask in place of the scenario's or the gateway's")
    parser.add_argument("--publish", action="store_true", help="Put the report into the store of the settings, too")
    parser.add_argument("--pushgateway", default="", help="URL of a Pushgateway that gets the numbers as metrics")
    parser.add_argument("--report", default=".modelyard/loadtests", help="Folder for the whole report (JSON)")
    try:
        if words[:1] and words[0] in _OTHERS:
            return _OTHERS[words[0]](words[1:])
        own, more = _divided(words)
        given = parser.parse_args(own)
        files = unpacked()
        path = scenario_file(str(files / given.scenario) if files else given.scenario)
        scenario = read_scenario(path)
        seconds = scenario.arrivals(path.parent).seconds
        report = Path(given.report, f"{path.stem}.json")
        report.parent.mkdir(parents=True, exist_ok=True)
        report.unlink(missing_ok=True)  # an older one would pass for that of this run
        with asked(scenario, given.host) as url:
            print(f"{path.stem}: asking {scenario.model} at {url} for {seconds:.0f} s", flush=True)
            port = str(_free_port())  # between Locust's processes; its own default serves one load test on a machine
            ports = {"LOCUST_MASTER_BIND_PORT": port, "LOCUST_MASTER_NODE_PORT": port}
            done = subprocess.run(command(path, url, report, more), env=os.environ | ports, check=False)
        if report.exists():
            _tell(report, path.stem, given)
        if files and report.exists():
            print(f"{REPORT_LINE}{json.dumps(json.loads(report.read_text()))}", flush=True)
        return done.returncode
    except ModelyardError as bad:
        print(f"{bad}", file=sys.stderr)
        return _NO_VERDICT


def _tell(report: Path, scenario: str, given: argparse.Namespace) -> None:
    """Takes a report where it is wanted; one that cannot be taken there changes no verdict, and is told of."""
    found = json.loads(report.read_text())
    try:
        if given.publish:
            print(f"in the store as {publish(report, found, scenario)}", flush=True)
        if given.pushgateway:
            push(found, scenario, given.pushgateway)
    except ModelyardError as bad:
        print(f"the verdict stands, but {bad}", file=sys.stderr, flush=True)


def _divided(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What is ours, and what follows `--` and is Locust's."""
    place = words.index("--") if "--" in words else len(words)
    return words[:place], words[place + 1 :]


def described(files: Sequence[str]) -> int:
    """Prints what a scenario needs: its file, how long it takes, whom it asks, and the files as base64."""
    path = scenario_file(files[0] if files else "")
    scenario = read_scenario(path)
    seconds = scenario.arrivals(path.parent).seconds
    if scenario.inputs:
        scenario.inputs.feeds(path.parent)
    about = {"scenario": path.name, "seconds": seconds, "host": scenario.host, "namespace": scenario.namespace}
    print(json.dumps({**about, "files": packed(path, scenario.files())}))
    return 0


def paged(files: Sequence[str]) -> int:
    """Writes the page of a report beside it."""
    path = Path(files[0] if files else "")
    path.with_suffix(".html").write_text(page(read_report(path)), encoding="utf-8")
    return 0


_OTHERS = {"compare": compared, "describe": described, "page": paged}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
