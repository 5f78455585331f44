"""Habits of the repository that a machine can check, over everything git tracks."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MOST_LINES = 400
GENERATED = {
    *(f"charts/modelyard/files/dashboards/{name}.json" for name in ("data", "fleet", "model", "operator", "rollout")),
    "charts/modelyard/templates/crd-models.yaml",
    "loadtests/scenarios/schema.json",
    "platform/constraints.txt",
    "platform/docs/reference/commands.md",
    "platform/docs/reference/model.md",
    "platform/localcluster/go/collector/go.sum",
    "platform/localcluster/go/joint/go.sum",
    *(
        f"platform/src/modelyard/builder/conversion/frameworks/requirements/{name}.txt"
        for name in ("catboost", "tensorflow")
    ),
}
DATA = {"charts/model/values.schema.json", "charts/modelyard/values.schema.json"}
"""JSON documents that Helm reads as a whole, one each."""
VAGUE = {"util", "utils", "helper", "helpers", "manager", "managers", "common", "base", "misc"}
INDEX_HOSTS = ("pypi" + ".org", "python" + "hosted", "proxy." + "golang", "sum." + "golang", "registry." + "npmjs")
SOMEBODYS_PATHS = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|Users/\w+|tmp/\w+)/")
LATEST = re.compile(r"[\w/.-]+/[\w.-]+:latest\b|\bimage:.*:latest\b|^FROM .*:latest\b", re.MULTILINE)


def tracked() -> list[str]:
    """Paths of all tracked files that are still there."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for path in listed.split("\0") if path and (ROOT / path).is_file()]


FILES = tracked()


def text_of(path: str) -> str:
    """The content of a text file; nothing of a binary one."""
    content = (ROOT / path).read_bytes()
    return "" if b"\0" in content else content.decode(errors="replace")


TEXTS = {path: text_of(path) for path in FILES}


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where a pattern is in the repository, as path and match; this file's own rules apart."""
    own = str(Path(__file__).relative_to(ROOT))
    return [f"{path}: {match[0]}" for path, text in TEXTS.items() if path != own for match in pattern.finditer(text)]


def test_git_tracks_this_tree() -> None:
    assert "platform/src/modelyard/core/decide.py" in FILES


def test_no_written_file_is_too_long_to_read() -> None:
    written = {path: text.count("\n") for path, text in TEXTS.items() if path not in GENERATED | DATA}

    assert {path: lines for path, lines in written.items() if lines > MOST_LINES} == {}


def test_half_of_the_modules_fit_two_screens() -> None:
    lengths = sorted(text.count("\n") for path, text in TEXTS.items() if path.endswith(".py"))

    assert lengths[len(lengths) // 2] <= 150


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [path for path in FILES if VAGUE & {part.split(".")[0] for part in path.split("/")}] == []


def test_no_file_names_the_host_of_a_package_index() -> None:
    assert found(re.compile("|".join(re.escape(host) for host in INDEX_HOSTS))) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert found(SOMEBODYS_PATHS) == []


def test_every_image_has_a_version() -> None:
    refused_on_purpose = {"tests/charts/test_values.py"}

    assert [one for one in found(LATEST) if one.split(":")[0] not in refused_on_purpose] == []


@pytest.mark.parametrize("path", [one for one in FILES if one.endswith(".py") and "/src/modelyard/" in one])
def test_every_module_says_what_it_is(path: str) -> None:
    assert TEXTS[path].lstrip().startswith('"""')


def test_no_room_of_tests_has_a_name_that_pytest_passes_by(request: pytest.FixtureRequest) -> None:
    passed_by = request.config.getini("norecursedirs")
    folders = {part for path in FILES if path.startswith("tests/") for part in Path(path).parts[:-1]}

    assert "builder" in folders
    assert not [name for name in folders for pattern in passed_by if fnmatch(name, pattern)]
