"""The same recipe trained by a container beside the builder: torch there, the store's keys and the judgement here."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from modelyard.builder.optimization.training import environment, sidecar_client
from modelyard.builder.optimization.training.starting_points import StartingPoints, begin
from modelyard.builder.optimization.training.training_run import RESULT
from modelyard.builder.optimization.trials.memory import Checkpoint

from .conftest import PROGRAMS, RECIPE, an_order

pytestmark = pytest.mark.torch


class Kept(Checkpoint):
    """Remembers which folders were offered to it."""

    def __init__(self) -> None:
        self.offered: list[str] = []

    def keep_trained(self, folder: Path) -> None:
        self.offered = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.onnx"))
        assert (folder / RESULT).is_file()


@dataclass(frozen=True)
class Beside:
    """A recipe that was run in the other container: the entry, the folder in common, and what came of it."""

    entry: Path
    common: Path
    out: Path
    begun: StartingPoints
    kept: Kept
    told: list[str]


@pytest.fixture(scope="module")
def beside(entry: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    """The trainer is started as its image starts it; the recipe prunes, distils for an epoch, and searches."""
    scratch = tmp_path_factory.mktemp("beside")
    copy, common, told, kept = copytree(entry, scratch / "entry"), scratch / "common", list[str](), Kept()
    common.mkdir()
    search = {"width": [8], "depth": [1], "kernel": [3], "trials": 1, "epochs": 12}
    less = {**RECIPE, "distill": {"epochs": 1}, "search": search}
    del less["qat"]
    (copy / "training" / "recipe.yaml").write_text(yaml.safe_dump(less))
    command = [environment.python(), "-I", str(PROGRAMS / "start.py"), "serve", str(common)]
    process = subprocess.Popen(command, env={"PATH": os.defpath, "HOME": str(scratch)})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(sidecar_client.TRAINER, str(common))
        environment._missing_beside.cache_clear()
        begun = begin(an_order(copy, scratch / "out"), True, told.append, kept)
        yield Beside(copy, common, scratch / "out", begun, kept, told)
    process.terminate()
    process.wait(20)


def test_what_was_trained_comes_back_and_torch_is_not_timed(beside: Beside) -> None:
    order = beside.begun.request

    assert {"pruned", "pruned-distilled"} <= set(order.starts)
    assert all(one.path.is_file() and beside.out in one.path.parents for one in order.starts.values())
    assert order.references == ()
    assert any(line.startswith("training pruned-distilled: epoch 1 of 1") for line in beside.told)
    assert {"pruned/model.onnx", "pruned-distilled/model.onnx", "search/drawn/0/model.onnx"} <= set(beside.kept.offered)
    assert len(list(beside.common.glob("*.result"))) == len(list(beside.common.glob("*.job"))) >= 3


class Recalled(Checkpoint):
    """Has what another process trained."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def recall_trained(self, folder: Path) -> None:
        assert folder.name == self.folder.name
        copytree(self.folder, folder)  # fails when there is something already


def test_what_another_process_trained_is_not_trained_again(beside: Beside, tmp_path: Path) -> None:
    done, told = len(list(beside.common.glob("*.job"))), list[str]()

    again = begin(
        an_order(beside.entry, tmp_path / "out"), True, told.append, Recalled(beside.begun.training_run.folder)
    )

    assert set(again.request.starts) == set(beside.begun.request.starts)
    assert all(tmp_path in one.path.parents for one in again.request.starts.values())
    assert "taking what an earlier run trained" in told
    stages = json.loads((again.training_run.folder / RESULT).read_text())["stages"]
    assert not any(Path(stage["path"]).is_absolute() for stage in stages)
    assert len(list(beside.common.glob("*.job"))) == done + 1  # whether module and model agree is asked anew
