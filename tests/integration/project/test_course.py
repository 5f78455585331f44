"""A repository of `modelyard new`, from made-up people to a served Model: stages, store, tests and front."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from modelyard.clients.store import S3Store
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import StoreSettings
from tests.support.artifacts.course import SOMEBODY, Course, new_course
from tests.support.machine.command_line import surroundings
from tests.support.machine.local_serving import address, serving
from tests.support.servers.store import StoreServer

pytestmark = [pytest.mark.integration, pytest.mark.triton]
NAME = "loans"
CLERK = {
    "age": 39, "education_num": 13, "hours_per_week": 40, "workclass": "State-gov", "marital_status": "Never-married",
    "occupation": "Adm-clerical", "relationship": "Not-in-family", "native_country": "United-States",
}  # fmt: skip
ADULT = """|1x3 Cross validator
25, Private, 226802, 11th, 7, Never-married, Machine-op-inspct, Own-child, Black, Male, 0, 0, 40, United-States, <=50K.

44, ?, 160323, Some-college, 10, Married-civ-spouse, ?, Husband, Black, Male, 7688, 0, 40, ?, >50K.
"""


@pytest.fixture(scope="module")
def where(store_server: StoreServer) -> StoreSettings:
    return store_server.settings(store_server.new_bucket())


@pytest.fixture(scope="module")
def course(where: StoreSettings, tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A repository in which everything up to the evaluation has run, with a store to push to and a key to sign with."""
    store = {name: value for name, value in surroundings(where).items() if name.startswith("MODELYARD_STORE_")}
    made = new_course(tmp_path_factory.mktemp("course") / NAME, NAME, **store)
    made.run("modelyard", "keys", "new", "ci")
    made.repro("prepare", "train", "evaluate")
    return made


@pytest.fixture(scope="module")
def pushed(course: Course) -> Course:
    """The same, after its entry was pushed once."""
    course.repro("push")
    return course


@pytest.fixture(scope="module")
def served(course: Course) -> Iterator[str]:
    """Where `modelyard serve` serves its entry."""
    with serving(course.folder / "entry", course.folder, "--trust-pickle") as (_, curl):
        yield address(curl)


def test_its_own_tests_of_data_and_model_pass(course: Course) -> None:
    assert " passed" in course.pytest("tests/test_data.py", "tests/test_model.py").stdout


def test_the_same_training_is_the_same_version(course: Course) -> None:
    before = (course.folder / "entry" / "modelyard.yaml").read_text()

    course.repro("prepare", "train", "evaluate")

    assert (course.folder / "entry" / "modelyard.yaml").read_text() == before


def test_the_card_says_who_is_treated_otherwise_and_who_are_too_few(course: Course) -> None:
    card = (course.folder / "entry" / "MODEL_CARD.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in card.splitlines() if line.startswith("| ")]
    verdicts = {(row[0], row[2]): row[-1] for row in rows if len(row) == 7}

    assert verdicts["sex Female", "selection rate"] == "unfair"
    assert verdicts["race Other", "false positive rate"] == "too few"
    unfair = json.loads((course.folder / "metrics.json").read_text())["unfair"]
    assert unfair[0].startswith("sex Female: selection rate")


def test_the_entry_is_pushed_signed_and_asked_for(course: Course, where: StoreSettings) -> None:
    again = Course(course.folder, course.environment | {"SIGNING_KEY": "ci.key"})

    printed = again.repro("push")
    manifest = (course.folder / "model.yaml").read_text()
    again.repro("push")

    described = yaml.safe_load((course.folder / "entry" / "modelyard.yaml").read_text())
    entry = BucketRegistry(S3Store(where)).resolve(NAME, version=described["version"])
    assert f"{NAME}:{entry.version} is in the registry, signed by " in printed
    assert yaml.safe_load(manifest)["spec"]["source"] == {"name": NAME, "version": entry.version}
    assert (course.folder / "model.yaml").read_text() == manifest
    assert json.loads((course.folder / "pushed.json").read_text())["digest"] == entry.digest
    assert entry.metadata.training_data is not None
    assert entry.metadata.training_data.digest.startswith("sha256:")
    course.run("modelyard", "verify", f"{NAME}:{entry.version}", "--key", "ci.pub")


def test_what_the_registry_refuses_is_not_asked_for(course: Course) -> None:
    before = (course.folder / "model.yaml").read_text()

    refused = course.run("python", "src/push.py", check=False, MODELYARD_STORE_SECRET_ACCESS_KEY="wrong")

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert (course.folder / "model.yaml").read_text() == before


def test_a_version_is_committed_once(pushed: Course) -> None:
    (pushed.folder / "dvc.lock").write_text("schema: '2.0'\n")  # as DVC writes it
    pushed.run("git", "init", "--quiet", "--initial-branch", "main")

    for _ in range(2):
        pushed.run("make", "commit", **SOMEBODY)

    version = json.loads((pushed.folder / "pushed.json").read_text())["version"]
    assert pushed.run("git", "log", "--format=%s").stdout == f"Serve {NAME} {version}\n"
    committed = pushed.run("git", "ls-files").stdout.split()
    assert committed == [
        "dvc.lock", "entry/MODEL_CARD.md", "entry/modelyard.yaml", "metrics.json", "model.yaml", "pushed.json",
    ]  # fmt: skip


def test_the_live_model_and_the_front_pass_its_tests_of_the_api(course: Course, served: str) -> None:
    model = {"MODEL_URL": served, "MODEL_NAME": NAME}

    with course.front(**model) as front:
        done = course.pytest("tests/test_api.py", APP_URL=front, **model)

    assert "9 passed" in done.stdout


def test_the_front_says_in_a_sentence_that_the_model_does_not_answer(course: Course) -> None:
    with course.front(MODEL_URL="http://127.0.0.1:1", MODEL_NAME=NAME) as front:
        told = httpx.post(f"{front}/predict", json=CLERK, timeout=60, trust_env=False)

    assert told.status_code == 503
    assert "127.0.0.1:1" in told.json()["detail"]


def test_without_an_address_the_tests_of_the_api_say_which_one_is_missing(course: Course) -> None:
    done = course.run("pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/test_api.py")

    assert "MODEL_URL names no address" in done.stdout
    assert "9 skipped" in done.stdout


@pytest.fixture
def real(tmp_path: Path) -> Course:
    """A repository that reads the real files, which are two people long here."""
    made = new_course(tmp_path / NAME, NAME)
    (tmp_path / "adult.test").write_text(ADULT)
    (tmp_path / "adult.data").write_text("".join(ADULT.replace("K.", "K").splitlines(keepends=True)[1:]))
    path = made.folder / "params.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["data"]["source"] = str(tmp_path)
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return made


def prepared(course: Course) -> list[dict[str, str]]:
    course.repro("prepare")
    lines = (course.folder / "data" / "test.csv").read_text().splitlines()
    return [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]


def test_the_real_files_are_read_as_they_are(real: Course) -> None:
    first, second = prepared(real)

    assert (first["age"], first["occupation"], first["earns_more"]) == ("25", "Machine-op-inspct", "0")
    assert (second["workclass"], second["capital_gain"], second["earns_more"]) == ("?", "7688", "1")


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        ("Own-child", "Owned-child", "relationship of person 1 is 'Owned-child'"),
        ("25", "250", "age of person 1 is '250'"),
        ("Machine-op-inspct, Own-child, Black", "Machine-op-inspct, Own-child", "of person 1 is"),
        ("<=50K.", "<=50K., more", "a column too many of person 1 is 'more'"),
        ("Black, Male, 7688", "Black, ?, 7688", "sex of person 2 is '?'"),
    ],
    ids=["a category", "a number", "a column less", "a column more", "a group"],
)
def test_a_file_in_another_format_is_refused(real: Course, wrong: str, right: str, sentence: str) -> None:
    file = real.folder.parent / "adult.test"
    file.write_text(file.read_text().replace(wrong, right))

    refused = real.run("python", "src/prepare.py", check=False)

    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (real.folder / "data").exists()


def test_files_that_are_not_there_are_named(real: Course) -> None:
    (real.folder.parent / "adult.data").unlink()

    refused: subprocess.CompletedProcess[str] = real.run("python", "src/prepare.py", check=False)

    assert (refused.returncode, "adult.data" in refused.stderr) == (1, True)
    assert "Traceback" not in refused.stderr


def test_the_rows_that_are_kept_as_evidence_are_the_models_own_inputs(course: Course) -> None:
    saved = np.load(course.folder / "entry" / "eval.npz")

    assert saved["input:age"].shape == saved["input:occupation"].shape == (2000, 1)
    assert {name for name in saved.files if name.startswith("slice:")} == {"slice:sex", "slice:race", "slice:age"}
