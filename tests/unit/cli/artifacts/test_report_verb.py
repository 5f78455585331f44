"""`modelyard report`: what an optimization found, from the store or from a folder, for people and for programs."""

import json
from pathlib import Path

import pytest

from modelyard.api.model import Model
from modelyard.cli.artifacts.report import of_model, stored
from modelyard.clients.store import S3Store
from modelyard.core.storage.keys import build_optimization
from modelyard.errors import InvalidInput, InvalidModel
from tests.support.machine.command_line import modelyard
from tests.unit.builder.optimization.report.test_page import a_report

DIGEST = "sha256:" + "ab" * 32


def a_model(**optimization: str) -> Model:
    status = {"optimization": {"digest": DIGEST, **optimization}} if optimization else {}
    spec = {"source": {"name": "digits", "version": "1"}}
    return Model.model_validate({"metadata": {"name": "digits", "namespace": "demo"}, "spec": spec, "status": status})


def content() -> bytes:
    return a_report().model_dump_json(by_alias=True).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As `modelyard optimize` leaves it."""
    made = tmp_path / "optimized"
    (made / "chosen").mkdir(parents=True)
    (made / "report.json").write_bytes(content())
    (made / "report.html").write_text("<!doctype html>")
    (made / "trade-off.png").write_bytes(b"\x89PNG")
    (made / "study.journal").touch()
    return made


def test_a_folder_is_told_with_its_variants_its_refusals_and_the_verdict(folder: Path, tmp_path: Path) -> None:
    ran = modelyard("report", folder, cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert "int8-static" in ran.out
    assert "chosen" in ran.out
    assert "refused flip: accuracy goes from 1 to 0.1" in ran.out
    assert "as int8-static: 4.00 times as fast" in ran.out


def test_programs_get_the_whole_report(folder: Path, tmp_path: Path) -> None:
    assert json.loads(modelyard("report", folder, "-o", "json", cwd=tmp_path).out) == json.loads(
        a_report().model_dump_json(by_alias=True, exclude_none=True)
    )


def test_page_pictures_and_json_are_copied_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    ran = modelyard("report", folder, "--out", tmp_path / "copy", cwd=tmp_path)

    assert ran.code == 0, ran.err
    assert {path.name for path in (tmp_path / "copy").iterdir()} == {"report.json", "report.html", "trade-off.png"}


def test_a_file_that_is_no_report_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "report.json").write_text("{}")

    ran = modelyard("report", folder, cwd=tmp_path)

    assert ran.code == 2
    assert "is no report of an optimization" in ran.err


def test_a_models_report_comes_from_the_store(store: S3Store) -> None:
    for name, data in {"report.json": content(), "report.html": b"<p>", "deep/er.json": b"{}"}.items():
        store.put(build_optimization(DIGEST, name), data)

    found = of_model(a_model(summary="int8-static 4.0x"), lambda: store)

    assert found.report() == a_report()
    assert set(found.contents) == {"report.json", "report.html"}


def test_a_model_without_an_optimization_says_how_to_ask_for_one(store: S3Store) -> None:
    with pytest.raises(InvalidModel, match=r"is not optimized: add `optimize: \{\}` to its spec"):
        of_model(a_model(), lambda: store)


@pytest.mark.parametrize("said", ["message", "failure"])
def test_an_optimization_that_is_not_over_says_how_far_it_is(store: S3Store, said: str) -> None:
    with pytest.raises(InvalidModel, match="there is no report on digits in namespace demo yet: 4 of 9"):
        of_model(a_model(**{said: "4 of 9"}), lambda: store)


def test_a_page_without_figures_is_no_report(store: S3Store) -> None:
    store.put(build_optimization(DIGEST, "report.html"), b"<p>")
    found = stored(store, DIGEST)

    assert found is not None
    with pytest.raises(InvalidInput, match="optimize again"):
        found.report()
