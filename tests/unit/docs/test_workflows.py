"""The samples for workflow engines: one course in three dresses, of commands that exist, and the codes they rely on."""

import ast
import re
from collections.abc import Callable
from typing import Any

import click
import pytest

from modelyard.cli import main
from modelyard.cli.rollout.app import TIMED_OUT
from modelyard.core.failure_causes import TRY_LATER
from modelyard.errors import HostFailure, InvalidModel, Refused, Unreachable, UserError
from tests.support.repository import workflow_samples as samples

COURSE = [
    ["push", "$ENTRY", "-o", "json"],
    ["alias", "set", "$NAME", "challenger", "$VERSION", "-o", "json"],
    ["rollout", "watch", "$MODEL", "-n", "$NAMESPACE", "--version", "$VERSION", "--timeout", "2h", "-o", "json"],
    ["alias", "set", "$NAME", "champion", "$VERSION", "-o", "json"],
]
READ = {"airflow": samples.airflow, "jenkins": samples.jenkins, "kubeflow": samples.kubeflow}


@pytest.mark.parametrize("engine", READ)
def test_every_engine_takes_the_same_course(engine: str) -> None:
    assert READ[engine]() == COURSE


@pytest.mark.parametrize("words", COURSE, ids=["push", "challenge", "watch", "crown"])
def test_its_commands_exist_with_these_options(words: list[str]) -> None:
    verb, *rest = words
    command: Any = main.load(verb)
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]

    command.parse_args(click.Context(command), rest)


def raising(failure: BaseException) -> Callable[[], None]:
    def app() -> None:
        raise failure

    return app


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (UserError("no"), 2),
        (InvalidModel("no"), 2),
        (Unreachable("no"), 1),
        (Refused("no"), 1),
        (HostFailure("OutOfMemory", "no"), 75),
        (MemoryError(), 75),
        (RuntimeError("a defect"), 1),
        (KeyboardInterrupt(), 130),
        (SystemExit(124), 124),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_every_failure_has_its_code(monkeypatch: pytest.MonkeyPatch, failure: BaseException, code: int) -> None:
    monkeypatch.setattr(main, "app", raising(failure))

    with pytest.raises(SystemExit) as ended:
        main.run()

    assert (ended.value.code, code in main.EXIT_CODES) == (code, True)


def test_the_table_has_every_code_that_a_verb_ends_with() -> None:
    folder = samples.FOLDER.parents[1] / "platform" / "src" / "modelyard" / "cli"
    constants = {
        int(code) for file in folder.rglob("*.py") for code in re.findall(r"typer\.Exit\((\d+)\)", file.read_text())
    }

    assert constants
    assert {*constants, TIMED_OUT, TRY_LATER, main.TERMINATED} <= main.EXIT_CODES.keys()


def test_engines_try_again_what_the_table_says_may_do_later() -> None:
    later = {code for code, (_, then) in main.EXIT_CODES.items() if then == "the same may do later"}
    tree = ast.parse(samples.AIRFLOW.read_text())
    [airflow] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TRY_AGAIN"
    ]
    [jenkins] = re.findall(r"code in \[([\d, ]+)\]", samples.JENKINS.read_text())

    assert set(airflow) == later
    assert {int(code) for code in jenkins.split(",")} == later


def test_the_page_of_commands_has_the_table() -> None:
    page = (samples.FOLDER.parents[1] / "platform" / "docs" / "reference" / "commands.md").read_text()

    for code, (happened, then) in main.EXIT_CODES.items():
        assert f"| {code} | {happened} | {then} |" in page


def test_the_dag_needs_nothing_but_airflow_and_python() -> None:
    tree = ast.parse(samples.AIRFLOW.read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    assert modules == {"airflow.exceptions", "airflow.sdk", "datetime", "json", "subprocess", "typing"}


def test_the_pipeline_fits_together() -> None:
    pipeline, platform = samples.kubeflow_documents()
    tasks, components = pipeline["root"]["dag"]["tasks"], pipeline["components"]
    executors = pipeline["deploymentSpec"]["executors"]
    given = set(pipeline["root"]["inputDefinitions"]["parameters"])

    assert {task["componentRef"]["name"] for task in tasks.values()} == set(components)
    assert {component["executorLabel"] for component in components.values()} == set(executors)
    assert set(platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]) <= set(executors)
    for task in tasks.values():
        component, inputs = components[task["componentRef"]["name"]], task["inputs"]
        for kind in ("parameters", "artifacts"):
            wanted = component["inputDefinitions"].get(kind, {})
            assert set(inputs.get(kind, {})) == set(wanted)
        rows = inputs.get("parameters", {}).values()
        assert {row["componentInputParameter"] for row in rows if "runtimeValue" not in row} <= given
        for artifact in inputs.get("artifacts", {}).values():
            output = artifact["taskOutputArtifact"]
            made_by = components[tasks[output["producerTask"]]["componentRef"]["name"]]
            assert output["outputArtifactKey"] in made_by["outputDefinitions"]["artifacts"]
            assert output["producerTask"] in task["dependentTasks"]
    for component in components.values():
        text = str(executors[component["executorLabel"]]["container"])
        inputs = component.get("inputDefinitions", {})
        assert set(re.findall(r"\$\.inputs\.parameters\['(\w+)'\]", text)) == set(inputs.get("parameters", {}))
        assert set(re.findall(r"\$\.inputs\.artifacts\['(\w+)'\]", text)) == set(inputs.get("artifacts", {}))


def test_no_parameter_is_put_into_a_shell_line_by_jenkins_itself() -> None:
    text = samples.JENKINS.read_text()

    assert re.findall(r"script: [^)]*\"", text) == []
    assert all(text.count(opening) == text.count(closing) for opening, closing in ("{}", "()", "[]"))
    named = set(re.findall(r"\$(\w+)", " ".join(samples.jenkins_lines())))
    assert named == set(re.findall(r"string\(name: '(\w+)'", text))
