"""The wheel in an environment that has nothing: few packages, both clients, and a sentence in place of the command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.cli.project.new import TEMPLATE
from modelyard.installation import find_uv
from tests.support.servers.inference_server import Addresses, running

pytestmark = [pytest.mark.integration, pytest.mark.proof]
PLATFORM = Path(__file__).resolve().parents[3] / "platform"
MOST = 15
SMOKE = """
import asyncio, json, sys
import modelyard

options = {"url": sys.argv[1], "namespace": "demo", "domain": "models.local"}
rows = {"x": [[1, 2]], "word": ["one"]}
with modelyard.Client(**options) as client:
    blocking = client.predict("double", rows)

async def awaited():
    async with modelyard.AsyncClient(**options) as client:
        return await client.predict_batch("double", rows, progress=True)

try:
    modelyard.Client(sys.argv[1], protocol="grpc")
except Exception as bad:
    sentence = str(bad)
print(json.dumps([blocking, asyncio.run(awaited()), sentence, "pandas" in sys.modules, "kubernetes" in sys.modules]))
"""
ANSWER = {"y": [[2.0, 4.0]], "word": ["one"]}


def run(*words: str | Path) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what that asks for."""
    folder, uv = tmp_path_factory.mktemp("wheel"), find_uv()
    assert uv, "there is no uv here: `make setup` puts one into the cache folder."
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=PLATFORM, check=True, capture_output=True)
    [wheel] = folder.glob("*.whl")
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, "--constraint", PLATFORM / "constraints.txt", wheel)
    return folder / "venv"


@pytest.fixture(scope="module")
def served():
    with running() as addresses:
        yield addresses


def test_it_brings_few_packages(environment: Path) -> None:
    uv = find_uv()
    assert uv
    packages = json.loads(run(uv, "pip", "list", "--python", environment / "bin" / "python", "--format", "json"))

    assert len(packages) <= MOST, [package["name"] for package in packages]


def test_both_clients_answer_and_name_what_is_missing(environment: Path, served: Addresses, tmp_path: Path) -> None:
    script = tmp_path / "smoke.py"
    script.write_text(SMOKE)

    blocking, awaited, sentence, *heavy = json.loads(run(environment / "bin" / "python", "-I", script, served.http))

    assert [blocking, awaited] == [ANSWER, ANSWER]
    assert "pip install 'modelyard[grpc]'" in sentence
    assert heavy == [False, False]


def test_the_command_says_which_extra_it_needs(environment: Path) -> None:
    done = subprocess.run([environment / "bin" / "modelyard", "get"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "the command needs the package typer: pip install 'modelyard[cli]'.\n"


def test_it_is_typed(environment: Path) -> None:
    assert list(environment.glob("lib/python3*/site-packages/modelyard/py.typed"))


def test_it_has_the_whole_template(environment: Path) -> None:
    [installed] = environment.glob("lib/python3*/site-packages/modelyard/cli/project/template")

    places = [
        {file.relative_to(folder) for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"}
        for folder in (installed, TEMPLATE)
    ]
    assert Path("dot-github", "workflows", "train.yml") in places[0]
    assert places[0] == places[1]
