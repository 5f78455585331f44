"""`python -m tests.bench.project.git_push`: from `git push` of a changed training to the first canaried answer.

Needs the local cluster with Modelyard, and the programs of MODELYARD_WORKFLOW_BIN
(`tests/integration/project/test_workflows.py` says which). A repository is made by `modelyard new`; its first version
serves and is asked all the time. Then the training asks for more trees, is committed and pushed, and act runs the
workflow of that push on this machine as GitHub would, with the cluster's keys as its secrets. The answer that counts is
the first one whose `x-modelyard-revision` is the candidate's. Prints how each workflow ended, and when each of its
steps had, as Markdown.
"""

import argparse
import re
import statistics
import subprocess
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

from modelyard.builder.evaluation.evaluation_set import read_tensors
from modelyard.builder.triton.v2_http import encode
from tests.support.artifacts.course import Course, course_under_git
from tests.support.cluster.kubectl import CONFIG, KUBECONFIG, eventually, get, kubectl
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.models import gateway, host, until

REVISION = "x-modelyard-revision"
EVERY = 0.05
QUICKLY = ("{strategy: Canary}", "{strategy: Canary, steps: [{weight: 50}], bake: 10s}")
"""The template's three steps of five minutes come after the answer that counts."""
_STORE = {"ENDPOINT": "endpoint", "ACCESS_KEY_ID": "accessKeyId", "SECRET_ACCESS_KEY": "secretAccessKey"}
_DONE = re.compile(r"\[train/(\w+) *\].*Success - Main (.*?) \[")


@dataclass
class Asked:
    """When each revision answered first, on the monotonic clock, and how many requests got no answer of a model."""

    first: dict[str, float] = field(default_factory=dict)
    failed: int = 0


@contextmanager
def asked(name: str, namespace: str, evaluation: Path) -> Iterator[Asked]:
    """Somebody asks the Model all the time, for the first row of the evaluation set."""
    stop, found = threading.Event(), Asked()
    body = encode({key: value[:1] for key, value in read_tensors(evaluation, "input").items()})
    headers = {**body.headers, "Host": host(name, namespace)}

    def ask() -> None:
        with httpx.Client(trust_env=False, headers=headers, timeout=20) as client:
            while not stop.wait(EVERY):
                answer = client.post(f"http://{gateway()}/v2/models/{name}/infer", content=body.content)
                found.failed += answer.status_code != httpx.codes.OK
                found.first.setdefault(answer.headers.get(REVISION, ""), time.monotonic())

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


def repository(folder: Path, namespace: str) -> Course:
    """One whose owner works on the local cluster, and whose Model serves nothing but what its key has signed."""
    name = f"course-{uuid.uuid4().hex[:8]}"
    store = yaml.safe_load(CONFIG.read_text())["store"]
    keys = {f"MODELYARD_STORE_{word}": store[key] for word, key in _STORE.items()}
    made = course_under_git(
        folder / name, name, store["bucket"], KUBECONFIG=str(KUBECONFIG), NAMESPACE=namespace, **keys
    )
    made.run("modelyard", "keys", "new", "ci", "--folder", str(folder))
    kubectl("create", "configmap", f"{name}-keys", "-n", namespace, f"--from-file={folder / 'ci.pub'}")
    manifest = made.folder / "model.yaml"
    manifest.write_text(manifest.read_text().replace("# verify:", "verify:").replace(*QUICKLY))
    made.run("make", "train", "push", f"SIGNING_KEY={folder / 'ci.key'}")
    made.run("git", "add", ".")
    made.run("git", "commit", "--quiet", "--message", "The first version")
    made.run("git", "init", "--quiet", "--bare", str(folder / "remote.git"))
    made.run("git", "remote", "add", "origin", str(folder / "remote.git"))
    made.run("make", "apply")
    until(name, namespace, "Reconciling", "False", "Done", 300)
    return made


def workflow(course: Course, folder: Path, namespace: str) -> subprocess.Popen[str]:
    """act, which runs the workflow of a push to main with the secrets that GitHub would have."""
    ours = course.surroundings()
    secrets = {
        "STORE_ENDPOINT": ours["MODELYARD_STORE_ENDPOINT"],
        "STORE_ACCESS_KEY_ID": ours["MODELYARD_STORE_ACCESS_KEY_ID"],
        "STORE_SECRET_ACCESS_KEY": ours["MODELYARD_STORE_SECRET_ACCESS_KEY"],
        "SIGNING_KEY": (folder / "ci.key").read_text(),
        "KUBECONFIG": KUBECONFIG.read_text(),
    }
    passed_on = [f"--env={name}={ours[name]}" for name in ("PATH", "PYTHONPATH", "VENV", "HOME", "MODELYARD_CACHE")]
    words = ["act", "push", "-P", "ubuntu-24.04=-self-hosted", "--var", f"NAMESPACE={namespace}", *passed_on]
    return subprocess.Popen(
        [*words, *(word for name in secrets for word in ("-s", name))], cwd=course.folder, env={**ours, **secrets},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def one(folder: Path, namespace: str) -> tuple[dict[str, float], str]:
    """Seconds from the push by what had ended then, and how the workflow ended."""
    course = repository(folder, namespace)
    name = course.folder.name
    with asked(name, namespace, course.folder / "entry" / "eval.npz") as found:
        eventually(lambda: len(found.first) == 1, "the first version answers")
        script = course.folder / "params.yaml"
        script.write_text(script.read_text().replace("n_estimators: 40", "n_estimators: 60"))
        course.run("git", "commit", "--quiet", "--all", "--message", "More trees")
        began = time.monotonic()
        course.run("git", "push", "--quiet", "origin", "main")
        took = {"git push": time.monotonic() - began}
        act = workflow(course, folder, namespace)
        printed = []
        assert act.stdout is not None
        for line in act.stdout:
            printed.append(line)
            step = _DONE.search(line)
            if step is not None:
                took[f"{step[1]}: {step[2]}"] = time.monotonic() - began
        candidate = [at for revision, at in found.first.items() if revision.startswith(name)][1:]
        assert candidate, "".join(printed[-60:])
        took["first canaried answer"] = candidate[0] - began
        ended = "Job succeeded" if act.wait() == 0 else "".join(printed[-40:])
    model = get("Model", name, namespace) or {}
    return took, f"{ended}; version {model['status']['version']} serves, {found.failed} requests failed"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    asked_for = parser.parse_args()
    rows = defaultdict[str, list[float]](list)
    for _ in range(asked_for.repeats):
        with tempfile.TemporaryDirectory() as scratch, a_namespace() as namespace:
            took, ended = one(Path(scratch), namespace)
        print(ended, flush=True)
        for stage, seconds in took.items():
            rows[stage].append(seconds)
    print("| ended | median, s after the push | slowest |\n|---|---|---|")
    for stage, seconds in sorted(rows.items(), key=lambda row: statistics.median(row[1])):
        print(f"| {stage} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |")


if __name__ == "__main__":
    main()
