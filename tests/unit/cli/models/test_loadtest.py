"""`modelyard loadtest`: a scenario on a server, with the Model's name of the command line, and what is refused."""

import json
from pathlib import Path

import pytest

from modelyard.cli.models.loadtest import SUITE
from tests.support.cluster.locust import REQUEST
from tests.support.machine.command_line import Ran, modelyard_here
from tests.support.servers import inference_server, one_port
from tests.support.servers.inference_server import Manners
from tests.unit.loadtests.reports.test_reports import a_report


def written(folder: Path, text: str) -> Path:
    (folder / "body.json").write_bytes(REQUEST)
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def run(folder: Path, *words: str | Path, **more: str) -> Ran:
    return modelyard_here("loadtest", *words, cwd=folder, **more)


def test_a_server_is_asked_as_the_scenario_says(tmp_path: Path) -> None:
    with (
        inference_server.running({name: Manners() for name in inference_server.REVISIONS}) as served,
        one_port.in_front(*served) as url,
    ):
        scenario = written(
            tmp_path,
            f"model: another\nnamespace: demo\nhost: {url}\nload: {{steady: {{rate: 10}}}}\nduration: 2s\n"
            "request: body.json\n",
        )

        ran = run(tmp_path, "double", "--scenario", scenario, "--report", tmp_path / "out")

    assert ran.code == 0, ran.out + ran.err
    report = json.loads((tmp_path / "out" / "mine.json").read_text())
    assert (report["model"], report["requests"]) == ("double", 20)
    assert (tmp_path / "out" / "mine.html").is_file()


def test_reports_are_compared(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(a_report()))

    assert run(tmp_path, "compare", tmp_path / "a.json", tmp_path / "a.json").code == 0
    assert run(tmp_path, "compare", tmp_path / "a.json").code == 2


LOAD = "model: double\nload: {steady: {rate: 10}}\nrequest: body.json\n"


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("model: double\n", (), "load: Field required"),
        ("model: double\nload: {steady: {rate: 99999}}\n", (), "less than or equal to 10000"),
        (LOAD, ("more.json",), "name one Model"),
        (LOAD + "host: http://here\n", ("--in-cluster",), "asks the cluster's own gateway"),
    ],
)
def test_what_cannot_be_run_is_said_before_anything_is_asked(
    tmp_path: Path, text: str, words: tuple[str, ...], said: str
) -> None:
    ran = run(tmp_path, "double", *words, "--scenario", written(tmp_path, text))

    assert ran.code == 2
    assert said in ran.err


def test_a_machine_without_the_suite_is_told_where_it_may_be(tmp_path: Path) -> None:
    ran = run(tmp_path, "double", "--scenario", "mine.yaml", **{SUITE: str(tmp_path)})

    assert ran.code == 2
    assert "the load tests are not here" in ran.err
