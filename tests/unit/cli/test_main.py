"""The program itself: help is instant, mistakes end in one sentence and an exit code that scripts can use."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.cli import main
from modelyard.settings import StoreSettings
from tests.support.machine.command_line import modelyard

HEAVY = {"boto3", "botocore", "httpx", "kubernetes", "numpy", "onnx", "onnxruntime", "pydantic", "sklearn"}


def test_help_names_every_verb(tmp_path: Path) -> None:
    ran = modelyard("--help", cwd=tmp_path)

    assert ran.code == 0
    for verb, (_, help_) in main.VERBS.items():
        assert f"{verb} " in ran.out
        assert help_.split()[0] in ran.out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['modelyard', '--help']; from modelyard.cli.main import app\n"
        "try: app()\nexcept SystemExit: print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert HEAVY.isdisjoint(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("verb", list(main.VERBS))
def test_the_table_says_what_the_verb_says_about_itself(verb: str) -> None:
    command = main.load(verb)

    assert command.name == verb
    assert inspect.cleandoc(command.help or "").splitlines()[0] == main.VERBS[verb].help


def test_a_verb_that_is_not_one_is_a_mistake(tmp_path: Path) -> None:
    ran = modelyard("pusch", cwd=tmp_path)

    assert ran.code == 2
    assert "pusch" in ran.err


def test_a_mistake_is_one_sentence_without_a_trace(tmp_path: Path) -> None:
    ran = modelyard("build", "nowhere.onnx", cwd=tmp_path)

    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.strip() == (
        "there is no nowhere.onnx; name an .onnx file, an entry folder or a Triton model repository."
    )


def test_without_a_store_the_sentence_says_how_to_name_one(tmp_path: Path) -> None:
    ran = modelyard("entries", cwd=tmp_path)

    assert ran.code == 2
    assert "set store.endpoint" in ran.err


def test_a_store_that_does_not_answer_is_not_the_persons_mistake(tmp_path: Path) -> None:
    silent = StoreSettings.model_validate(
        {"endpoint": "http://127.0.0.1:1", "accessKeyId": "a", "secretAccessKey": "b"}
    )

    ran = modelyard("entries", store=silent, cwd=tmp_path)

    assert ran.code == 1
    assert "does not answer at http://127.0.0.1:1" in ran.err
    assert "Traceback" not in ran.err


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = modelyard("entries", cwd=tmp_path, MODELYARD_CONFIG=str(tmp_path))

    assert ran.code == 2
    assert "MODELYARD_CONFIG names" in ran.err
