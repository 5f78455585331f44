"""The samples for workflow engines in manifests/workflows, as lists of commands of the program `modelyard`."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[3] / "manifests" / "workflows"
AIRFLOW, JENKINS, KUBEFLOW = FOLDER / "airflow_release.py", FOLDER / "Jenkinsfile", FOLDER / "kubeflow-pipeline.yaml"
Command = list[str]


def jenkins_lines() -> list[str]:
    """The shell lines of the Jenkinsfile's stages, in their order."""
    return re.findall(r"run\('([^']+)'\)", JENKINS.read_text())


def jenkins() -> list[Command]:
    """The same as words, without `modelyard`; variables stand as $NAME."""
    return [words[1:] for words in map(shlex.split, jenkins_lines()) if words[0] == "modelyard"]


def kubeflow_documents() -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline's specification and that of its platform."""
    pipeline, platform = yaml.safe_load_all(KUBEFLOW.read_text())
    return pipeline, platform


def kubeflow() -> list[Command]:
    """The commands of the tasks, each after those it depends on; parameters of the pipeline stand as $NAME."""
    pipeline, _ = kubeflow_documents()
    executors = pipeline["deploymentSpec"]["executors"]
    return [
        _filled(executors[pipeline["components"][task["componentRef"]["name"]]["executorLabel"]]["container"], task)
        for task in in_order(pipeline["root"]["dag"]["tasks"])
        if _is_ours(pipeline, task)
    ]


def _is_ours(pipeline: dict[str, Any], task: dict[str, Any]) -> bool:
    label = pipeline["components"][task["componentRef"]["name"]]["executorLabel"]
    return pipeline["deploymentSpec"]["executors"][label]["container"]["command"] == ["modelyard"]


def _filled(container: dict[str, Any], task: dict[str, Any]) -> Command:
    given = task.get("inputs", {}).get("parameters", {})

    def value(match: re.Match[str]) -> str:
        source = given.get(match[1])
        if source is None:
            return "$ENTRY"
        constant = source.get("runtimeValue", {}).get("constant")
        return constant or f"${source['componentInputParameter'].upper()}"

    return [re.sub(r"\{\{\$\.inputs\.\w+\['(\w+)'\](?:\.path)?\}\}", value, word) for word in container["args"]]


def in_order(tasks: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Tasks by dependency. Raises AssertionError when some never become ready."""
    done: set[str] = set()
    while len(done) < len(tasks):
        ready = [
            name for name, task in tasks.items() if name not in done and done.issuperset(task.get("dependentTasks", ()))
        ]
        assert ready, f"nothing of {set(tasks) - done} can begin"
        for name in ready:
            done.add(name)
            yield tasks[name]


def airflow() -> list[Command]:
    """The words that the tasks of the DAG give to `modelyard`, in the order of the file; what varies stands as $X."""
    tree = ast.parse(AIRFLOW.read_text())
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    [where] = [node.value for node in assigned if ast.unparse(node.targets[0]) == "where"]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "modelyard"]
    return [
        [*(word for given in call.args for word in _words(given, where)), "-o", "json"]
        for call in sorted(calls, key=lambda call: call.lineno)
    ]


def _words(given: ast.expr, where: ast.expr) -> Iterator[str]:
    if isinstance(given, ast.Starred):
        assert isinstance(where, ast.Tuple)
        for inner in where.elts:
            yield from _words(inner, where)
    elif isinstance(given, ast.Constant):
        yield str(given.value)
    else:
        assert isinstance(given, ast.Subscript), ast.unparse(given)
        yield f"${ast.literal_eval(given.slice).upper()}"
