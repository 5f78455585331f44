"""Going back by `git revert`, as tools that apply from git do it: what is in git is what is declared, once and for all.

Argo CD applies with a three-way merge by default, Flux server-side under a manager of its own, and both apply the same
again and again: a second time nothing may change, and `kubectl diff` has to be empty.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from tests.support.objects.rollout_statuses import a_record, an_ended_rollout, conditions, split
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration
NAMESPACE = "git-revert"
WAYS = {
    "Argo CD": (),
    "Flux": ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts"),
}


class Repository:
    """A git repository with one Model in it, and what applies it."""

    def __init__(self, api: RealApiServer, folder: Path, name: str, how: tuple[str, ...]) -> None:
        self.api, self.folder, self.how = api, folder, how
        self.file, self.ref = folder / "model.yaml", Ref("Model", NAMESPACE, name)
        self.cluster = Cluster(access(api.kubeconfig))
        self.git("init", "--quiet")

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=alice", "-c", "user.email=alice@example.com")
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True)

    def commit(self, version: str, reason: str) -> None:
        metadata = {"name": self.ref.name, "namespace": NAMESPACE, "annotations": {"modelyard.dev/reason": reason}}
        spec = {"source": {"name": "digits", "version": version}, "rollout": {"strategy": "Canary"}}
        document = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
        self.file.write_text(yaml.safe_dump(document))
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", reason)

    def sync(self) -> dict[str, Any]:
        """Applies what is in git; the Model after that."""
        done = self.api.run("kubectl", "apply", *self.how, "-f", str(self.file))
        assert done.returncode == 0, done.stderr
        return self.model()

    def diff(self) -> str:
        """What `kubectl diff` prints."""
        how = [word for word in self.how if word != "--quiet"]
        done = self.api.run("kubectl", "diff", *how, "-f", str(self.file))
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    def model(self) -> dict[str, Any]:
        found = self.cluster.get(self.ref)
        assert found is not None
        return found

    def serve(self, version: str) -> None:
        """The operator says that this version has the traffic."""
        model = self.model()
        records = [a_record("Promoted", version="2", stableVersion="1")]
        status = {"observedGeneration": model["metadata"]["generation"], "conditions": conditions()}
        seen = {**status, "revisions": split(), "version": version, "rollout": an_ended_rollout(*records)}
        self.cluster.apply_status(self.ref, model["metadata"]["uid"], seen)


@pytest.fixture(params=WAYS)
def repository(request: pytest.FixtureRequest, apiserver: RealApiServer, tmp_path: Path) -> Iterator[Repository]:
    apiserver.namespace(NAMESPACE)
    name = request.param.lower().replace(" ", "-")
    made = Repository(apiserver, tmp_path, name, WAYS[request.param])
    yield made
    made.cluster.delete(made.ref)


def test_a_reverted_commit_brings_the_version_and_the_reason_back(repository: Repository) -> None:
    repository.commit("1", "first release")
    first = repository.sync()
    repository.commit("2", "better recall")
    repository.sync()
    repository.serve("2")

    repository.git("revert", "--no-edit", "HEAD")
    reverted = repository.sync()

    assert reverted["spec"] == first["spec"]
    assert reverted["metadata"]["annotations"]["modelyard.dev/reason"] == "first release"
    assert repository.diff() == ""


def test_applying_twice_changes_nothing_also_after_the_operator_has_written(repository: Repository) -> None:
    repository.commit("1", "first release")
    repository.sync()
    repository.serve("1")
    before = repository.model()["metadata"]

    after = repository.sync()["metadata"]

    assert (after["generation"], after["resourceVersion"]) == (before["generation"], before["resourceVersion"])
    assert repository.diff() == ""


def test_a_command_of_a_person_is_no_difference(repository: Repository) -> None:
    repository.commit("1", "first release")
    repository.sync()
    command = {"id": "told-once", "action": "pause"}
    repository.cluster.merge(repository.ref, {"spec": {"rollout": {"command": command}}})

    assert repository.diff() == ""
    assert repository.sync()["spec"]["rollout"]["command"] == command


def test_a_rollback_by_command_is_a_difference_until_git_says_the_same(
    repository: Repository, apiserver: RealApiServer, tmp_path: Path
) -> None:
    from tests.support.machine.command_line import modelyard

    repository.commit("1", "first release")
    repository.sync()
    repository.commit("2", "better recall")
    repository.sync()
    repository.serve("2")

    words = ("rollback", repository.ref.name, "-n", NAMESPACE, "--reason", "recall fell")
    ran = modelyard(*words, cwd=tmp_path, KUBECONFIG=str(apiserver.kubeconfig), NO_COLOR="1")

    assert ran.code == 0, ran.err
    model = repository.model()
    assert model["spec"]["source"]["version"] == "1"
    said = model["metadata"]["annotations"]
    assert (said["modelyard.dev/reason"], said["modelyard.dev/changed-to"]) == ("recall fell", "1")
    assert said["modelyard.dev/changed-by"]
    assert "version" in repository.diff()
    repository.git("revert", "--no-edit", "HEAD")
    assert repository.sync()["spec"]["source"]["version"] == "1"
    assert repository.diff() == ""
