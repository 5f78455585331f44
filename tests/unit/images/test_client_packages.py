"""What `pip install modelyard` brings: the Python client alone; everything else is an extra, and images name theirs."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from modelyard.installation import find_uv

PLATFORM = Path(__file__).resolve().parents[3] / "platform"
PROJECT = tomllib.loads((PLATFORM / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
MOST = 15
VERBS = ("builder", "holder", "optimize", "plots", "recorder", "sklearn", "dev")
"""Extras of what is started by the command `modelyard`."""


def resolved(*words: str) -> set[str]:
    """Names of the packages that uv chooses, Modelyard itself apart."""
    uv = find_uv()
    assert uv, "there is no uv here: `make setup` puts one into the cache folder."
    how = ["--quiet", "--no-header", "--no-annotate", "--constraint", "constraints.txt", "--python-version", "3.11"]
    command = [uv, "pip", "compile", *how, "--python-platform", "x86_64-manylinux_2_36", "pyproject.toml", *words]
    done = subprocess.run(command, cwd=PLATFORM, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", done.stdout, re.MULTILINE))


def test_the_client_alone_is_few_packages() -> None:
    packages = resolved()

    assert len(packages) + 1 <= MOST, sorted(packages)
    assert {"httpx", "numpy", "tritonclient"} <= packages
    assert not {"boto3", "grpcio", "kubernetes", "pandas", "pydantic", "typer"} & packages


@pytest.mark.parametrize("extra", VERBS)
def test_what_the_command_starts_brings_the_command(extra: str) -> None:
    parts = [Requirement(line) for line in EXTRAS[extra]]

    assert any(part.name == "modelyard" and "cli" in part.extras for part in parts)


def test_no_extra_is_forgotten_here() -> None:
    assert set(EXTRAS) - set(VERBS) == {"cli", "gpu", "grpc", "loadtest", "pandas", "torch"}


def test_the_operators_image_has_the_command_and_not_the_clients_arrays() -> None:
    words = "--override operator-overrides.txt -r pyproject.toml --extra holder"
    dockerfile = (PLATFORM / "images" / "operator" / "Dockerfile").read_text()
    assert words in dockerfile
    assert re.search(r"^COPY .*\boperator-overrides\.txt\b", dockerfile, re.MULTILINE)

    packages = resolved("--extra", "holder", "--override", "operator-overrides.txt")

    assert {"aiohttp", "boto3", "grpcio", "httpx", "kubernetes", "prometheus-client", "typer"} <= packages
    assert not {"ml-dtypes", "numpy", "tqdm", "tritonclient"} & packages


@pytest.mark.parametrize("image", ["builder", "builder-gpu", "recorder"])
def test_an_image_with_verbs_names_an_extra_that_brings_them(image: str) -> None:
    dockerfile = (PLATFORM / "images" / image / "Dockerfile").read_text()

    assert set(re.findall(r"--extra (\w+)", dockerfile)) & set(VERBS)
