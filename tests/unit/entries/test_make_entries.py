"""The scripts that make the example entries, as a person types them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3] / "model-repo"


def typed(cache: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(REPO / script), *arguments],
        env={**os.environ, "MODELYARD_CACHE": str(cache), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_committed_is_not_made_again(tmp_path: Path) -> None:
    done = typed(tmp_path, "make_entries.py", "digits", "breast-cancer")
    assert done.returncode == 0, done.stderr
    assert "digits is there" in done.stdout
    assert "breast-cancer is there" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_does_not_exist_is_refused_with_the_names_that_do(tmp_path: Path) -> None:
    done = typed(tmp_path, "make_entries.py", "digit")
    assert done.returncode == 2
    assert (
        done.stderr == "There is no example entry called digit; there are breast-cancer, census-income, digits, "
        "minilm, resnet18-digits.\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["digits", "breast-cancer", "census-income", "minilm", "resnet18-digits"])
def test_a_recipe_without_its_environment_says_how_to_get_it(tmp_path: Path, name: str) -> None:
    done = typed(tmp_path, f"{name}/make.py")
    assert done.returncode == 1
    assert "type `make entries`" in done.stderr
