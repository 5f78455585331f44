"""The template holds together: stages, pins, targets, the Model, the chart, and workflows that nobody can abuse."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import modelyard
from modelyard.api.model import Model
from modelyard.cli.project.new import NAME_THERE, TEMPLATE, write_repository
from tests.support.repository.charts import objects, one, pod_templates, template

ROOT = Path(__file__).resolve().parents[4]
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in (TEMPLATE / "dot-github").rglob("*.yml")}
JOBS = {f"{name}/{job}": body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
STEPS = [(name, step) for name, job in JOBS.items() for step in job.get("steps", ())]
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+\n")


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)", text, re.MULTILINE))


@pytest.fixture
def stages() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((TEMPLATE / "dvc.yaml").read_text())["stages"]


def test_the_stages_follow_one_another_from_files_that_are_there(stages: dict[str, dict[str, Any]]) -> None:
    made: set[str] = set()
    for stage in stages.values():
        missing = [path for path in stage["deps"] if not (TEMPLATE / path).exists() and path not in made]
        assert missing == []
        outs = [*stage["outs"], *stage.get("metrics", [])]
        made |= {path for out in outs for path in (out if isinstance(out, dict) else [out])} | {"entry"}

    assert [*stages] == ["prepare", "train", "evaluate", "push"]


def test_what_a_stage_reads_it_depends_on(stages: dict[str, dict[str, Any]]) -> None:
    modules = {path.stem for path in (TEMPLATE / "src").glob("*.py")}
    for name, stage in stages.items():
        imported = re.findall(r"^(?:from|import) (\w+)", (TEMPLATE / "src" / f"{name}.py").read_text(), re.MULTILINE)
        assert {f"src/{module}.py" for module in {*imported, name} & modules} - {*stage["deps"]} == set()


def test_the_packages_are_those_it_is_tested_with() -> None:
    ours = pins((ROOT / "platform" / "constraints.txt").read_text()) | {"modelyard": modelyard.__version__}
    wanted = pins((TEMPLATE / "requirements.txt").read_text()) | pins((TEMPLATE / "app/requirements.txt").read_text())

    assert {"modelyard", "scikit-learn", "skl2onnx", "fastapi", "pytest"} <= wanted.keys()
    assert {name: version for name, version in wanted.items() if version != ours.get(name)}.keys() == {"dvc"}


def test_the_model_is_one_and_names_the_entry() -> None:
    model = Model.of(yaml.safe_load((TEMPLATE / "model.yaml").read_text()))

    assert (model.name, model.spec.source.name) == (NAME_THERE, NAME_THERE)


def test_git_keeps_no_data_and_no_secret() -> None:
    ignored = (TEMPLATE / "dot-gitignore").read_text().splitlines()
    of_dvc = (TEMPLATE / "dot-dvc" / "dot-gitignore").read_text().splitlines()

    assert {"/data/", "/entry/model.joblib", "*.key", ".modelyard/"} <= {*ignored}
    assert "/config.local" in of_dvc


def test_the_chart_runs_the_front_as_nobody_and_finds_the_model(tmp_path: Path) -> None:
    write_repository("loans", tmp_path / "loans")

    rendered = objects(template(tmp_path / "loans" / "chart", release="loans", namespace="demo"))

    [pod] = pod_templates(rendered).values()
    [container] = pod["containers"]
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert (environment["MODEL_NAME"], environment["MODEL_NAMESPACE"]) == ("loans", "demo")
    assert one(rendered, "Service", "loans-front")["spec"]["selector"] == {
        "app.kubernetes.io/name": "loans-front",
        "app.kubernetes.io/instance": "loans",
    }


def test_there_are_three_workflows() -> None:
    assert WORKFLOWS.keys() == {"train", "retrain", "release"}


@pytest.mark.parametrize("path", sorted((TEMPLATE / "dot-github").rglob("*.yml")), ids=lambda path: path.stem)
def test_actions_of_others_are_pinned_by_commit(path: Path) -> None:
    lines = re.findall(r"uses: [^.\n].*\n", path.read_text())

    assert [line for line in lines if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_a_workflow_may_only_read_unless_a_job_says_what_else(name: str) -> None:
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}


def test_whatever_writes_does_so_alone() -> None:
    called = {"train/serve": JOBS["train/serve"], "release": WORKFLOWS["release"]}

    assert {name: body["concurrency"]["cancel-in-progress"] for name, body in called.items()} == {
        "train/serve": False,
        "release": False,
    }
    writers = {name for name, job in JOBS.items() if "write" in job.get("permissions", {}).values()}
    assert writers == {"train/serve", "retrain/course", "release/publish"}
    assert JOBS["retrain/course"]["uses"] == "./.github/workflows/train.yml"


def test_a_pull_request_meets_no_secret() -> None:
    with_secrets = {name for name, step in STEPS if "secrets." in str(step)}

    assert with_secrets == {"train/serve"}
    assert JOBS["train/serve"]["if"] == "github.event_name != 'pull_request'"
    assert JOBS["train/serve"]["environment"] == "production"


def test_no_script_is_put_together_from_what_others_write() -> None:
    assert [step["run"] for _, step in STEPS if "${{" in step.get("run", "")] == []


def test_a_checkout_keeps_no_credentials() -> None:
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]

    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * 3


def test_steps_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (TEMPLATE / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"\bmake ((?:[a-z-]+ ?)+)", "\n".join(step.get("run", "") for _, step in STEPS))
    words = {word for target in named for word in target.split()}

    assert words - targets == set()
    assert {"setup", "train", "test", "push", "commit", "apply", "wait"} <= words
