"""The whole course on the cluster: `modelyard new`, its stages, a signed entry, its Model, its tests of the API."""

import uuid
from pathlib import Path

import pytest
import yaml

from tests.support.artifacts.course import Course, new_course
from tests.support.cluster.kubectl import CONFIG, environment, kubectl
from tests.support.cluster.models import gateway, until


@pytest.fixture
def course(namespace: str, tmp_path: Path) -> Course:
    """A repository whose owner works on the cluster, and whose Model serves nothing but what its key has signed."""
    name = f"course-{uuid.uuid4().hex[:8]}"
    mine = {variable: environment()[variable] for variable in ("KUBECONFIG", "MODELYARD_CONFIG")}
    made = new_course(tmp_path / name, name, NAMESPACE=namespace, SIGNING_KEY="ci.key", **mine)
    made.run("modelyard", "keys", "new", "ci")
    kubectl("create", "configmap", f"{name}-keys", "-n", namespace, f"--from-file={made.folder / 'ci.pub'}")
    manifest = made.folder / "model.yaml"
    manifest.write_text(manifest.read_text().replace("# verify:", "verify:").replace("Canary", "Immediate"))
    return made


def served(course: Course, namespace: str) -> str:
    """The version that has all the traffic once the steps of the workflow have run."""
    course.repro("prepare", "train", "evaluate", "push")
    course.run("make", "apply", "wait")
    return until(course.folder.name, namespace, "Reconciling", "False", "Done")["status"]["version"]


def asked_for(course: Course) -> str:
    return yaml.safe_load((course.folder / "model.yaml").read_text())["spec"]["source"]["version"]


def test_a_new_repository_is_trained_served_and_asked(course: Course, namespace: str) -> None:
    first = served(course, namespace)
    assert first == asked_for(course)

    domain = yaml.safe_load(CONFIG.read_text())["gateway"]["domain"]
    model = {"MODEL_URL": f"http://{gateway()}", "MODEL_NAMESPACE": namespace, "MODEL_DOMAIN": domain}
    with course.front(**model) as front:
        by_host = course.pytest("tests/test_api.py", APP_URL=front, **model)
        by_path = course.pytest("tests/test_api.py", APP_URL=front, **(model | {"MODEL_DOMAIN": ""}))
    assert "9 passed" in by_host.stdout
    assert "9 passed" in by_path.stdout

    settings = course.folder / "params.yaml"
    settings.write_text(settings.read_text().replace("n_estimators: 40", "n_estimators: 50"))
    second = served(course, namespace)
    assert second == asked_for(course) != first
