"""push, entries and alias, as a person types them, against a real store."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelyard.builder.artifacts import staging
from modelyard.cli.registry import push
from modelyard.errors import HostFailure
from modelyard.settings import StoreSettings
from tests.support.artifacts import onnx_models as models
from tests.support.artifacts.entries import an_entry
from tests.support.machine.command_line import modelyard, modelyard_here
from tests.support.servers.store import StoreServer


@pytest.fixture
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


def test_an_entry_is_pushed_listed_and_given_an_alias(where: StoreSettings, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")

    pushed = modelyard("push", folder, store=where, cwd=tmp_path)
    again = modelyard("push", folder, "-o", "json", store=where, cwd=tmp_path)
    named = modelyard("alias", "set", "toy", "champion", "1", store=where, cwd=tmp_path)
    listed = modelyard("entries", "-o", "json", store=where, cwd=tmp_path)
    shown = modelyard("entries", store=where, cwd=tmp_path)

    assert (pushed.code, again.code, named.code) == (0, 0, 0)
    assert pushed.out.startswith("pushed toy:1 (2 files")
    assert json.loads(again.out)["new"] is False
    assert named.out.startswith("toy@champion is now toy:1")
    (entry,) = json.loads(listed.out)
    assert (entry["name"], entry["version"], entry["aliases"]) == ("toy", "1", ["champion"])
    assert entry["digest"] == json.loads(again.out)["digest"]
    assert shown.out.splitlines()[1].split()[:3] == ["toy", "1", "champion"]
    assert modelyard("alias", "list", store=where, cwd=tmp_path).out == "toy@champion is toy:1\n"


def test_aliases_are_told_to_programs(where: StoreSettings, tmp_path: Path) -> None:
    modelyard_here("push", an_entry(tmp_path / "toy"), store=where, cwd=tmp_path)

    told = modelyard_here("alias", "set", "toy", "champion", "1", "-o", "json", store=where, cwd=tmp_path)
    listed = modelyard_here("alias", "list", "toy", "-o", "json", store=where, cwd=tmp_path)

    alias = {"name": "toy", "alias": "champion", "version": "1"}
    assert json.loads(told.out) == {**alias, "digest": json.loads(told.out)["digest"]}
    assert json.loads(listed.out) == [alias]


def test_a_lone_file_is_pushed_with_a_name_and_a_version(where: StoreSettings, tmp_path: Path) -> None:
    path = models.saved(models.doubling(), tmp_path / "model.onnx")

    assert modelyard("push", path, "--name", "toy", "--version", "3", store=where, cwd=tmp_path).code == 0
    assert "toy" in modelyard("entries", "toy", store=where, cwd=tmp_path).out


def test_a_changed_version_is_refused(where: StoreSettings, tmp_path: Path) -> None:
    modelyard("push", an_entry(tmp_path / "toy"), store=where, cwd=tmp_path)

    ran = modelyard("push", an_entry(tmp_path / "toy", models.summing()), store=where, cwd=tmp_path)

    assert ran.code == 2
    assert "toy:1 is already pushed with other content" in ran.err


def test_a_broken_model_is_refused_before_anything_is_sent(where: StoreSettings, tmp_path: Path) -> None:
    folder = an_entry(tmp_path / "toy")
    (folder / "model.onnx").write_bytes(b"nonsense")

    ran = modelyard("push", folder, store=where, cwd=tmp_path)

    assert ran.code == 2
    assert "export it again" in ran.err
    assert modelyard("entries", store=where, cwd=tmp_path).out.startswith("no entries")


def test_an_alias_for_a_version_that_is_not_there_is_refused(where: StoreSettings, tmp_path: Path) -> None:
    ran = modelyard("alias", "set", "toy", "champion", "1", store=where, cwd=tmp_path)

    assert ran.code == 2
    assert "the registry has no entry toy; push it" in ran.err


def test_an_evaluation_set_that_the_model_does_not_meet_leaves_the_version_free(
    where: StoreSettings, tmp_path: Path
) -> None:
    wrong = {"input:x": np.ones((2, 3)), "output:y": np.ones((2, 3))}
    right = {"input:x": np.ones((2, 3)), "output:y": np.full((2, 3), 2.0)}

    refused = modelyard("push", an_entry(tmp_path / "toy", arrays=wrong), store=where, cwd=tmp_path)
    pushed = modelyard("push", an_entry(tmp_path / "toy", arrays=right), store=where, cwd=tmp_path)

    assert (refused.code, pushed.code) == (2, 0)
    assert "output 'y' is not what eval.npz expects" in refused.err
    assert pushed.out.startswith("pushed toy:1 (3 files")


def test_a_machine_that_cannot_try_a_model_may_push_it(
    where: StoreSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object, **__: object) -> None:
        raise HostFailure("OutOfMemory", "Modelyard ran out of memory.")

    monkeypatch.setattr(staging, "try_entry", full)

    push._try(an_entry(tmp_path / "toy"), tmp_path / "tried")

    assert "pushed without a try: Modelyard ran out of memory" in capsys.readouterr().err


def test_rows_that_are_as_they_should_be_are_pushed_as_a_profile(where: StoreSettings, tmp_path: Path) -> None:
    table = tmp_path / "rows.csv"
    table.write_text("age,hours,gain\n" + "".join(f"{at}.5,{at % 7},0.5\n" for at in range(100)))
    folder = an_entry(tmp_path / "toy")

    pushed = modelyard_here("push", folder, "--reference", table, store=where, cwd=tmp_path)
    refused = modelyard_here("push", folder, "--reference", tmp_path / "none.csv", store=where, cwd=tmp_path)

    assert pushed.code == 0, pushed.err
    assert pushed.out.startswith("pushed toy:1 (3 files")
    assert not (folder / "profile.json").exists()
    assert (refused.code, "there is no file" in refused.err) == (2, True)


def test_a_reference_goes_with_a_plain_build(tmp_path: Path) -> None:
    refused = modelyard_here("build", "toy:1", "--publish", "--reference", "rows.csv", cwd=tmp_path)
    assert refused.code == 2
    assert "--reference goes with a plain build" in refused.err
