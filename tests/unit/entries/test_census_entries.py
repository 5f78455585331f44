"""The two committed versions of census-income: as good as they say, for everybody and slice by slice."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import yaml

from modelyard.api.entry import EntryMetadata
from modelyard.builder.evaluation.evaluation_set import read_evaluation
from modelyard.builder.inspection.model_file import inspect
from modelyard.registry.folder import read_folder
from tests.support.artifacts.census import CLERK, ENTRY, UNKNOWN_WORK
from tests.support.machine.command_line import modelyard
from tests.support.servers.store import StoreServer

import adult  # isort: skip  (beside the entry, found by the line above)
import features  # isort: skip
import slices  # isort: skip
import synthetic  # isort: skip

VERSIONS = ("1", "2")
SEED, HELD_OUT = 2027, 4000
Arrays = Mapping[str, np.ndarray]


def evaluation(version: str) -> Arrays:
    with np.load(ENTRY / version / "eval.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def answers(version: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes [n] and probabilities [n, 2]."""
    path = ENTRY / version / "model.onnx"
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    label, probabilities = session.run(["label", "probabilities"], {"input": rows})
    return np.asarray(label), np.asarray(probabilities)


def metadata(version: str) -> EntryMetadata:
    return EntryMetadata.model_validate(yaml.safe_load((ENTRY / version / "modelyard.yaml").read_text()))


def part(version: str, name: str) -> str:
    """What a card has between two markers."""
    found = re.search(
        rf"<!-- {name} -->\n(.*)\n<!-- /{name} -->", (ENTRY / version / "MODEL_CARD.md").read_text(), re.S
    )
    assert found is not None
    return found[1]


def columns(version: str) -> dict[str, np.ndarray]:
    return {key.split(":")[1]: value for key, value in evaluation(version).items() if key.startswith("slice:")}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_people_held_out_are_those_of_the_generator(version: str) -> None:
    people, kept = synthetic.people(HELD_OUT, SEED), evaluation(version)

    np.testing.assert_array_equal(kept["input:input"], features.features(people))
    np.testing.assert_array_equal(kept["labels"], people.earns_more)
    for name, groups in slices.slice_columns(people).items():
        np.testing.assert_array_equal(kept[f"slice:{name}"], groups)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_as_good_as_it_says_and_better_than_guessing(version: str) -> None:
    kept, said = evaluation(version), metadata(version).metrics
    called, _ = answers(version, kept["input:input"])
    right = float((called == kept["labels"]).mean())

    assert right == pytest.approx(said["accuracy"], abs=1e-4)
    assert right > 1 - kept["labels"].mean() + 0.08
    assert called.mean() == pytest.approx(said["positiveRate"], abs=1e-4)
    assert said["rocAuc"] > 0.9


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_of_the_card_is_what_the_model_does_slice_by_slice(version: str) -> None:
    kept = evaluation(version)
    called, probabilities = answers(version, kept["input:input"])
    measured = slices.measured(columns(version), kept["labels"], called, probabilities[:, 1])

    assert part(version, "slices") == slices.table(measured)
    assert {row.column for row in measured} == {slices.EVERYBODY, "sex", "race", "age"}


def test_groups_of_a_column_are_everybody_once() -> None:
    for groups in columns("1").values():
        assert len(groups) == HELD_OUT
        assert "?" not in groups
    assert set(columns("1")["age"]) == set(slices.AGE_BANDS)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_server_would_take_the_evaluation_set_with_its_groups(version: str) -> None:
    graph = inspect(ENTRY / version / "model.onnx")
    found = read_evaluation(ENTRY / version / "eval.npz", graph)

    assert (found.rows, set(found.inputs), set(found.outputs)) == (HELD_OUT, {"input"}, {"label", "probabilities"})
    assert {file.path for file in read_folder(ENTRY / version).entry.files} == {
        "MODEL_CARD.md", "columns.json", "eval.npz", "model.onnx", "modelyard.yaml",
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_is_pushed(version: str, store_server: StoreServer, tmp_path: Path) -> None:
    where = store_server.settings(store_server.new_bucket())

    assert modelyard("push", ENTRY / version, store=where, cwd=tmp_path).out.startswith(
        f"pushed census-income:{version} "
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_makes_a_row_with_columns_json_alone(version: str) -> None:
    described = json.loads((ENTRY / version / "columns.json").read_text())
    written = dict(zip(adult.COLUMNS, UNKNOWN_WORK.split(", "), strict=False))
    row = [
        (one["categories"].index(written[one["name"]]) if written[one["name"]] != "?" else described["unknown"])
        if "categories" in one
        else float(written[one["name"]])
        for one in described["columns"]
    ]

    np.testing.assert_array_equal([row], features.features(adult.parse_adult([UNKNOWN_WORK], "adult.data")))
    assert metadata(version).inputs[0].description.startswith(", ".join(one["name"] for one in described["columns"]))


@pytest.mark.parametrize("version", VERSIONS)
def test_neither_sex_nor_race_changes_an_answer(version: str) -> None:
    other = CLERK.replace("White, Male", "Black, Female")
    rows = features.features(adult.parse_adult([CLERK, other], "adult.data"))
    _, probabilities = answers(version, rows)

    np.testing.assert_array_equal(probabilities[0], probabilities[1])


@pytest.mark.parametrize("version", VERSIONS)
def test_an_unknown_category_gets_an_answer(version: str) -> None:
    rows = np.full((1, len(features.SEEN)), adult.UNKNOWN, dtype=np.float32)
    label, probabilities = answers(version, rows)

    assert label.tolist() == [0]
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_slice_of_one_class_has_no_auc() -> None:
    groups, labels = {"sex": np.array(["Female", "Male", "Male"])}, np.array([0, 0, 1])
    everybody, women, men = slices.measured(groups, labels, np.array([0, 1, 1]), np.array([0.1, 0.6, 0.9]))

    assert (everybody.people, everybody.accuracy, everybody.auc) == (3, pytest.approx(2 / 3), 1.0)
    assert (women.people, women.positive, women.auc) == (1, 0.0, None)
    assert (men.actual, men.positive, men.accuracy, men.auc) == (0.5, 1.0, 0.5, 1.0)
    assert slices.table([women]).endswith("| sex Female | 1 | 0.000 | 0.000 | 1.000 | - |")


def test_no_file_is_too_big_to_commit() -> None:
    assert {path.name for path in Path(ENTRY).rglob("*") if path.is_file() and path.stat().st_size >= 2**20} == set()
