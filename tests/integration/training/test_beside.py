"""The same recipe trained by a container beside the builder: torch there, the store's keys and the judgement here."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
import yaml

from modelyard.build.optimize.memory import Memory
from modelyard.build.optimize.training import environment, trainer
from modelyard.build.optimize.training.course import RESULT
from modelyard.build.optimize.training.starts import begin

from .conftest import PROGRAMS, RECIPE, an_order


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder in common with a trainer, which is started as its image starts it."""
    common = tmp_path / "common"
    common.mkdir()
    command = [environment.python(), "-I", str(PROGRAMS / "start.py"), "serve", str(common)]
    process = subprocess.Popen(command, env={"PATH": os.defpath, "HOME": str(tmp_path)})
    monkeypatch.setenv(trainer.TRAINER, str(common))
    environment._missing_beside.cache_clear()
    yield common
    process.terminate()
    process.wait(20)


@pytest.fixture
def short(entry: Path, tmp_path: Path) -> Path:
    """The entry with a recipe that prunes, distils for an epoch and searches among two."""
    copy = copytree(entry, tmp_path / "entry")
    search = {"width": [8], "depth": [1], "kernel": [3], "trials": 1, "epochs": 12}
    less = {**RECIPE, "distill": {"epochs": 1}, "qat": None, "search": search}
    (copy / "training" / "recipe.yaml").write_text(yaml.safe_dump(less))
    return copy


class Kept(Memory):
    """Remembers which folders were offered to it."""

    def __init__(self) -> None:
        self.offered: list[str] = []

    def keep_trained(self, folder: Path) -> None:
        self.offered = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.onnx"))
        assert (folder / RESULT).is_file()


def test_what_was_trained_comes_back_and_torch_is_not_timed(beside: Path, short: Path, tmp_path: Path) -> None:
    told, kept = list[str](), Kept()

    begun = begin(an_order(short, tmp_path / "out"), True, told.append, kept)

    assert {"pruned", "pruned-distilled"} <= set(begun.order.starts)
    assert all(one.path.is_file() and tmp_path / "out" in one.path.parents for one in begun.order.starts.values())
    assert begun.order.references == ()
    assert any(line.startswith("training pruned-distilled: epoch 1 of 1") for line in told)
    assert {"pruned/model.onnx", "pruned-distilled/model.onnx", "search/drawn/0/model.onnx"} <= set(kept.offered)
    verbs = [path.with_suffix(".job").name for path in sorted(beside.glob("*.result"))]
    assert verbs[:3] == ["000.job", "001.job", "002.job"]


def test_what_was_trained_may_lie_elsewhere_the_next_time(beside: Path, short: Path, tmp_path: Path) -> None:
    first = begin(an_order(short, tmp_path / "out"), True, lambda _: None)
    (tmp_path / "out").rename(tmp_path / "moved")
    done = len(list(beside.glob("*.job")))

    again = begin(an_order(short, tmp_path / "moved"), True, lambda _: None)

    assert set(again.order.starts) == set(first.order.starts)
    stages = json.loads((again.course.folder / RESULT).read_text())["stages"]
    assert not any(Path(stage["path"]).is_absolute() for stage in stages)
    assert len(list(beside.glob("*.job"))) == done + 1  # the question whether module and model agree is asked anew
