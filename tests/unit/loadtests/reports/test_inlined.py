"""A scenario on its way into a Job."""

import json
from pathlib import Path

import pytest

from loadtests.__main__ import main
from loadtests.reports.inlined import packed, unpacked
from loadtests.scenario import read_scenario
from modelyard.core.resources.load_jobs import FILES
from modelyard.errors import InvalidSettings
from tests.support.cluster.locust import REQUEST


def a_scenario(folder: Path, more: str = "request: body.json\n") -> Path:
    (folder / "body.json").write_bytes(REQUEST)
    (folder / "day.csv").write_text("1\n2\n3\n")
    path = folder / "mine.yaml"
    path.write_text(f"model: digits\nload: {{trace: {{file: day.csv}}}}\n{more}")
    return path


def test_its_files_arrive_as_they_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = a_scenario(tmp_path)
    assert unpacked() is None

    monkeypatch.setenv(FILES, json.dumps(packed(path, read_scenario(path).files())))

    folder = unpacked()
    assert folder is not None
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        name: (tmp_path / name).read_bytes() for name in ("mine.yaml", "body.json", "day.csv")
    }


def test_a_scenario_says_what_it_needs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", str(a_scenario(tmp_path))]) == 0

    found = json.loads(capfd.readouterr().out)
    assert (found["scenario"], found["seconds"], set(found["files"])) == (
        "mine.yaml",
        2.0,
        {"mine.yaml", "body.json", "day.csv"},
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("request: none.json\n", "needs none.json"),
        ("request: ../body.json\n", "has to be a file beside it"),
        ("inputs: {samples: none.jsonl}\n", "there is no file"),
    ],
)
def test_files_that_are_not_beside_it_are_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], more: str, said: str
) -> None:
    assert main(["describe", str(a_scenario(tmp_path, more))]) == 2

    assert said in capfd.readouterr().err


def test_what_is_not_beside_it_is_not_packed(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="needs gone"):
        packed(a_scenario(tmp_path), ["gone"])
