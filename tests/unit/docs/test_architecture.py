"""The map in architecture.md and README.md names what exists; folders stay small."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "platform" / "src" / "modelyard"
PAGES = {
    "platform/docs/architecture.md": (SOURCE, re.compile(r"`([a-z_]+/[a-z_/]*(?:\.py)?)`")),
    "README.md": (ROOT, re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")),
    "CONTRIBUTING.md": (ROOT, re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")),
}
MOST = 12
ALLOWED_TWICE: set[str] = set()
ONE_FILE_EACH = {SOURCE / "builder" / "optimization" / "passes"}


def named(page: str) -> set[str]:
    """Paths that a page names."""
    _, pattern = PAGES[page]
    return set(pattern.findall((ROOT / page).read_text()))


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    base, _ = PAGES[page]

    assert named(page)
    assert sorted(path for path in named(page) if not (base / path).exists()) == []


def test_every_room_of_the_source_is_on_the_map() -> None:
    rooms = {f"{path.name}/" for path in SOURCE.iterdir() if (path / "__init__.py").exists()}

    assert rooms - named("platform/docs/architecture.md") == set()


def test_a_folder_holds_at_most_twelve_modules() -> None:
    roots = (ROOT / "platform", ROOT / "tests", ROOT / "loadtests")
    folders = {file.parent for root in roots for file in root.rglob("*.py")} - ONE_FILE_EACH
    modules = {folder: [file for file in folder.glob("*.py") if file.name != "__init__.py"] for folder in folders}

    assert {folder.relative_to(ROOT): len(files) for folder, files in modules.items() if len(files) > MOST} == {}


def test_a_public_type_has_a_name_of_its_own() -> None:
    trees = [ast.parse(file.read_text()) for file in SOURCE.rglob("*.py")]
    names = Counter(node.name for tree in trees for node in tree.body if isinstance(node, ast.ClassDef))

    assert len(names) > 200
    assert {name for name, times in names.items() if times > 1 and not name.startswith("_")} == ALLOWED_TWICE
