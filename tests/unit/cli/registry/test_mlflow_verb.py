"""`modelyard mlflow sync`, as a person types it, against a simulated MLflow and a real store."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.settings import StoreSettings
from tests.support.machine.command_line import modelyard_here
from tests.support.servers.mlflow.calls import MlflowUser, onnx_files
from tests.support.servers.mlflow.simulated import simulated_mlflow
from tests.support.servers.store import StoreServer


@pytest.fixture
def user() -> Iterator[MlflowUser]:
    with simulated_mlflow() as server:
        yield MlflowUser(server.url)


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_models_are_brought_in_by_name_and_the_rest_is_told(
    where: StoreSettings, user: MlflowUser, tmp_path: Path
) -> None:
    user.register("Fraud Check")
    user.set_alias("Fraud Check", "champion", "1")
    user.register("poem", onnx_files(flavors={"spark": {}}))
    given = {"store": where, "cwd": tmp_path, "MODELYARD_MLFLOW_URL": user.url}

    brought = modelyard_here("mlflow", "sync", "fraud-check:1", **given)
    again = modelyard_here("mlflow", "sync", "fraud-check", **given)
    everything = modelyard_here("mlflow", "sync", "--all", "-o", "json", **given)
    missing = modelyard_here("mlflow", "sync", "fraud", "poem", **given)

    assert (brought.code, again.code, everything.code, missing.code) == (0, 0, 2, 2)
    assert brought.out == "brought in fraud-check:1\nfraud-check@champion is now fraud-check:1\n"
    assert again.out == "nothing new in 1 registered models\n"
    told = json.loads(everything.out)
    assert (told["names"], told["pushed"], told["aliases"], told["missing"]) == (2, [], [], [])
    assert [(row["name"], row["version"], row["reason"]) for row in told["refused"]] == [
        ("poem", "1", "UnsupportedModel")
    ]
    assert "refused poem:1: poem version 1 has only the flavors spark" in missing.out
    assert "MLflow has no registered model called fraud: register it" in missing.out


@pytest.mark.parametrize("words", [(), ("fraud", "--watch"), ("--all", "--watch")])
def test_what_to_bring_in_has_to_be_said(where: StoreSettings, tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = modelyard_here("mlflow", "sync", *words, store=where, cwd=tmp_path, MODELYARD_MLFLOW_URL="http://mlflow")

    assert ran.code == 2
    assert "names, --all, or --watch" in ran.err


def test_without_an_address_it_says_which_setting(where: StoreSettings, tmp_path: Path) -> None:
    ran = modelyard_here("mlflow", "sync", "fraud", store=where, cwd=tmp_path)

    assert ran.code == 2
    assert "set mlflow.url, or MODELYARD_MLFLOW_URL" in ran.err


@pytest.mark.parametrize("names", [("--all",), ("fraud", "poem")])
def test_rows_are_of_one_model(where: StoreSettings, tmp_path: Path, names: tuple[str, ...]) -> None:
    asked = ("mlflow", "sync", *names, "--sample", "rows.csv")
    ran = modelyard_here(*asked, store=where, cwd=tmp_path, MODELYARD_MLFLOW_URL="http://mlflow")

    assert ran.code == 2
    assert "--sample has rows of one model" in " ".join(ran.err.replace("│", " ").split())
