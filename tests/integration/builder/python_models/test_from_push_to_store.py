"""A Python model from its author's folder to the store: tried where it is pushed, only laid out where the keys are."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from modelyard.clients.store import S3Store
from modelyard.core.names import build_digest
from modelyard.core.storage import keys
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from tests.support.frameworks.python_models import GREETER, a_python_model
from tests.support.machine.command_line import modelyard, modelyard_here
from tests.support.machine.local_serving import serving
from tests.support.servers.store import StoreServer


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_it_is_tried_where_it_is_pushed_and_never_run_where_it_is_published(
    where: StoreSettings, tmp_path: Path
) -> None:
    mark = tmp_path / "it-was-run"
    folder = a_python_model(tmp_path / "greeter", GREETER + f"\n\nPath({str(mark)!r}).touch()\n")

    refused = modelyard("push", folder, store=where, cwd=tmp_path)
    assert (refused.code, mark.exists()) == (2, False)
    assert "add --trust-code if it comes from you" in refused.err

    pushed = modelyard_here("push", folder, "--trust-code", store=where, cwd=tmp_path)
    assert (pushed.code, mark.exists()) == (0, True), pushed.err
    mark.unlink()

    words = ("build", "greeter:1", "--name", "hello", "--publish", "-o", "json")
    untrusted = modelyard_here(*words, store=where, cwd=tmp_path)
    built = modelyard_here(*words, "--trust-code", store=where, cwd=tmp_path)
    assert (untrusted.code, built.code, mark.exists()) == (2, 0, False), built.err
    report = json.loads(built.out)
    assert report["proof"]["server"] == ""
    entry = BucketRegistry(S3Store(where)).resolve("greeter", version="1")
    assert entry.is_python
    assert {stored.key for stored in S3Store(where).list(keys.build_repository(report["digest"]))} == {
        keys.build_repository(build_digest(entry.digest, "hello", {})) + path
        for path in (
            "hello/config.pbtxt", "hello/1/environment.zip", "hello/1/code/model.py", "hello/1/code/marks/mark.txt",
        )
    }  # fmt: skip

    here = modelyard_here("build", "greeter:1", "--trust-code", "--out", "here", store=where, cwd=tmp_path)
    assert here.code == 0, here.err
    assert "takes    name BYTES[-1, 1], age FP32[-1, 1]" in here.out
    assert "eval.npz 2 rows, largest difference 0" in here.out
    assert "proved   one inference by Triton" in here.out


@pytest.mark.parametrize(
    ("words", "says"),
    [(("--target", "gpu"), "served on CPUs only"), (("--optimize", "{}"), "remove spec.optimize")],
)
def test_what_it_cannot_have_is_said_where_the_operator_reads_it(
    where: StoreSettings, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    log = tmp_path / "termination-log"
    folder = a_python_model(tmp_path / "greeter")
    registry = BucketRegistry(S3Store(where))
    registry.push(folder)

    ran = modelyard_here(
        "build", "greeter:1", "--publish", "--trust-code", *words, store=where, cwd=tmp_path,
        MODELYARD_TERMINATION_LOG=str(log),
    )  # fmt: skip

    assert ran.code == 2
    assert json.loads(log.read_text())["reason"] == "UnsupportedModel"
    assert says in ran.err


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (GREETER.replace("import os", "import pandas"), "No module named 'pandas'"),
        (GREETER.replace("+ self.mark", ""), "output 'greeting' is not what eval.npz expects"),
        (GREETER.replace("class Model:", "class Other:"), "has no attribute 'Model'"),
        (GREETER.replace('inputs["age"]', 'inputs["ages"]'), "model.py raised KeyError in line"),
    ],
    ids=["a package that is not pinned", "other answers", "no class", "an exception"],
)
def test_what_does_not_work_is_not_pushed(where: StoreSettings, tmp_path: Path, code: str, says: str) -> None:
    folder = a_python_model(tmp_path / "greeter", code)

    ran = modelyard_here("push", folder, "--trust-code", store=where, cwd=tmp_path)

    assert ran.code == 2, ran.err
    assert says in ran.err
    assert not list(S3Store(where).list(keys.REGISTRY))


def test_it_serves_here_until_it_is_ended(tmp_path: Path) -> None:
    folder = a_python_model(tmp_path / "greeter", requirements="")
    (folder / "model.py").write_text(GREETER.replace("import greeting", "").replace("greeting.of(*row)", "row[0]"))
    names = np.array(["Ada!", "Grün!"]).reshape(2, 1)
    given = dict(np.load(folder / "eval.npz"))
    np.savez(folder / "eval.npz", **{**given, "output:greeting": names})  # pyright: ignore

    untrusted = modelyard_here("serve", folder, cwd=tmp_path)
    with serving(folder, tmp_path, "--trust-code") as (_, curl):
        answered = subprocess.run(curl, capture_output=True, text=True, check=True)

    assert (untrusted.code, "add --trust-code" in untrusted.err) == (2, True)
    assert '"Ada!"' in answered.stdout
