"""`modelyard contract diff`, as a person types it."""

import json
from pathlib import Path

import numpy as np

from tests.support.artifacts.entries import an_entry
from tests.support.artifacts.onnx_models import doubling, saved
from tests.support.machine.command_line import modelyard_here
from tests.support.servers.store import StoreServer


def test_versions_are_compared_wherever_they_are(store_server: StoreServer, tmp_path: Path) -> None:
    given = {"store": store_server.settings(store_server.new_bucket()), "cwd": tmp_path}
    rows = {"input:x": np.ones((2, 3)), "output:y": np.full((2, 3), 2.0)}
    first = an_entry(tmp_path / "1", labels=["a", "b"], arrays=rows)
    modelyard_here("push", first, **given)
    modelyard_here("alias", "set", "toy", "champion", "1", **given)
    second = an_entry(tmp_path / "2", doubling(("batch", 4)), version="2", labels=["a", "b"])
    file = saved(doubling(), tmp_path / "3" / "model.onnx")

    same = modelyard_here("contract", "diff", "toy:1", "toy@champion", **given)
    other = modelyard_here("contract", "diff", "toy@champion", second, **given)
    lone = modelyard_here("contract", "diff", file, first, "-o", "json", **given)

    assert (same.code, other.code, lone.code) == (0, 2, 0)
    assert same.out == "the same\n"
    assert other.out.splitlines()[0] == "breaks: input x had the shape [-1, 3] and has [-1, 4]"
    assert json.loads(lone.out) == {
        "breaks": False,
        "changes": [{"breaks": False, "message": "classes have names: a, b"}],
    }


def test_what_is_nowhere_is_said(store_server: StoreServer, tmp_path: Path) -> None:
    ran = modelyard_here("contract", "diff", "toy", "toy:1", store=None, cwd=tmp_path)

    assert ran.code == 2
    assert "toy is neither a file nor NAME:VERSION nor NAME@ALIAS" in ran.err
