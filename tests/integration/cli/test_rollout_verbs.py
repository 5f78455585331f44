"""The rollout verbs as a person types them, against a real API server; the test plays the operator."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml

from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from tests.support.machine.command_line import PROGRAM, Ran, modelyard, surroundings
from tests.support.objects.rollout_statuses import (
    CANDIDATE,
    a_gate,
    a_record,
    a_rollout,
    an_ended_rollout,
    before,
    conditions,
    split,
)
from tests.support.operator.bench import eventually
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration


class Stage:
    """A Model of a test's own, and who looks after it: somebody with a manifest, the operator, and the program."""

    def __init__(self, api: RealApiServer, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.cluster = Cluster(access(api.kubeconfig))
        self.ref = Ref("Model", "demo", f"digits-{uuid4().hex[:8]}")

    def apply(self, *how: str, version: str = "2", **rollout: Any) -> None:
        """Somebody applies the manifest."""
        spec = {"source": {"name": "digits", "version": version}, **({"rollout": rollout} if rollout else {})}
        metadata = {"name": self.ref.name, "namespace": "demo"}
        manifest = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec}
        done = self.api.run("kubectl", "apply", *how, "-f", "-", stdin=yaml.safe_dump(manifest))
        assert done.returncode == 0, done.stderr

    def say(self, rollout: dict[str, Any], **status: Any) -> None:
        """The operator writes its status."""
        model = self.model()
        seen = {"observedGeneration": model["metadata"]["generation"], "conditions": conditions(), "revisions": split()}
        self.cluster.apply_status(self.ref, model["metadata"]["uid"], {**seen, "rollout": rollout, **status})

    def answer(self, rollout: dict[str, Any], sentence: str) -> dict[str, Any]:
        """The operator answers the command it finds; the command."""

        def found() -> dict[str, Any] | None:
            return self.model()["spec"]["rollout"].get("command")

        told = eventually(found, "a command is written")
        self.say({**rollout, "command": {**told, "answer": sentence, "time": before(0)}})
        return told

    def model(self) -> dict[str, Any]:
        found = self.cluster.get(self.ref)
        assert found is not None
        return found

    def run(self, verb: str, *options: str) -> Ran:
        """`modelyard rollout VERB` to its end."""
        words = ("rollout", verb, self.ref.name, "-n", "demo", *options)
        return modelyard(*words, cwd=self.folder, KUBECONFIG=str(self.api.kubeconfig), NO_COLOR="1")

    def start(self, verb: str, *options: str) -> "subprocess.Popen[str]":
        """The same without waiting."""
        words = [PROGRAM, "rollout", verb, self.ref.name, "-n", "demo", *options]
        env = surroundings(None, HOME=str(self.folder), KUBECONFIG=str(self.api.kubeconfig), NO_COLOR="1")
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(words, cwd=self.folder, env=env, text=True, **pipes)


@pytest.fixture
def stage(apiserver: RealApiServer, tmp_path: Path) -> Iterator[Stage]:
    made = Stage(apiserver, tmp_path)
    made.apply()
    yield made
    made.cluster.delete(made.ref)


def test_status_draws_what_the_operator_said(stage: Stage) -> None:
    stage.say(a_rollout(gates=[a_gate()]))

    ran = stage.run("status")

    assert ran.code == 0, ran.err
    assert f"{stage.ref.name} in demo: Canary to version 2" in ran.out
    assert "● 25 %" in ran.out
    assert "for     ███████████████████░░░░░  11 of 20" in ran.out
    assert "\x1b" not in ran.out


def test_status_for_programs_is_the_operators_status(stage: Stage) -> None:
    stage.say(a_rollout(gates=[a_gate(state={"windowEnd": 1})]))

    found = json.loads(stage.run("status", "-o", "json").out)

    assert found["rollout"]["candidate"] == CANDIDATE
    assert found["rollout"]["gates"][0]["evidenceFor"] == 11.0
    assert found["upToDate"] is True


def test_a_command_is_written_once_and_its_answer_printed(stage: Stage) -> None:
    stage.say(a_rollout())
    program = stage.start("pause", "--timeout", "60s", "-o", "json")

    told = stage.answer(a_rollout(paused=True), "The weight stays until resume; the gates go on.")
    out, err = program.communicate(timeout=60)

    assert program.returncode == 0, err
    assert told["action"] == "pause"
    assert json.loads(out) == {**told, "answer": "The weight stays until resume; the gates go on.", "time": before(0)}


def test_every_action_is_written_as_itself(stage: Stage) -> None:
    states = {
        "promote": a_rollout(),
        "abort": a_rollout(),
        "pause": a_rollout(),
        "resume": a_rollout(paused=True),
        "retry": an_ended_rollout(a_record(), rejected=CANDIDATE),
    }
    ids = set()
    for action, rollout in states.items():
        stage.say(rollout)
        ran = stage.run(action, "--no-wait")
        command = stage.model()["spec"]["rollout"]["command"]

        assert ran.code == 0, ran.err
        assert command["action"] == action
        assert ran.out.strip() == f"{action} {stage.ref.name}: written with id {command['id']}"
        ids.add(command["id"])

    assert len(ids) == len(states)


def test_what_makes_no_sense_is_refused_and_nothing_is_written(stage: Stage) -> None:
    stage.say(an_ended_rollout())
    before_it = stage.model()["metadata"]["resourceVersion"]

    ran = stage.run("promote")

    assert ran.code == 2
    assert ran.err.strip() == f"no rollout of {stage.ref.name} is under way; a changed spec begins one."
    assert stage.model()["metadata"]["resourceVersion"] == before_it


def test_a_refusal_of_the_operator_is_the_callers_to_mend(stage: Stage) -> None:
    stage.say(a_rollout())
    program = stage.start("promote", "--timeout", "60s")

    stage.answer(a_rollout("Aborting", 0, 0), "Refused: the rollout is being aborted.")
    out, err = program.communicate(timeout=60)

    assert (program.returncode, out) == (2, "")
    assert err.strip() == f"promote {stage.ref.name}: the rollout is being aborted."


def test_an_operator_that_does_not_answer_is_named(stage: Stage) -> None:
    stage.say(a_rollout())

    ran = stage.run("pause", "--timeout", "1s")

    assert ran.code == 1
    assert "the operator has not answered within 1 s: `modelyard doctor`" in " ".join(ran.err.split())


def test_a_command_that_another_took_the_place_of_says_so(stage: Stage) -> None:
    stage.say(a_rollout())
    program = stage.start("pause", "--timeout", "60s")
    eventually(lambda: stage.model()["spec"]["rollout"].get("command"), "a command is written")
    assert stage.run("abort", "--no-wait").code == 0

    _, err = program.communicate(timeout=60)

    assert program.returncode == 1
    assert "somebody else wrote abort" in err


@pytest.mark.parametrize("how", [(), ("--server-side", "--field-manager=gitops")], ids=["client", "server"])
def test_whoever_applies_the_manifest_is_not_disturbed(stage: Stage, how: tuple[str, ...]) -> None:
    stage.apply(*how, *(["--force-conflicts"] if how else []), strategy="Canary", bake="5m")
    stage.say(a_rollout())
    assert stage.run("pause", "--no-wait").code == 0
    told = stage.model()["spec"]["rollout"]["command"]

    stage.apply(*how, strategy="Canary", bake="7m")

    rollout = stage.model()["spec"]["rollout"]
    assert rollout["command"] == told
    assert rollout["bake"] == "7m"


def test_watch_writes_a_line_for_every_change_and_ends_with_the_rollout(stage: Stage) -> None:
    stage.say(a_rollout())
    program = stage.start("watch", "--timeout", "120s")
    assert program.stdout is not None
    first = program.stdout.readline()

    stage.say(a_rollout("Baking", 3, 100))
    second = program.stdout.readline()
    ends = conditions(Ready="True", Reconciling="False")
    done = an_ended_rollout(a_record("Promoted", startTime=a_rollout()["startTime"]), reason="Promoted")
    stage.say(done, conditions=ends)
    out, err = program.communicate(timeout=60)

    assert f"{stage.ref.name} version 2: Advancing at 25 %" in first
    assert f"{stage.ref.name} version 2: Baking at 100 %" in second
    assert "✓ Promoted" in out.splitlines()[-1]
    assert program.returncode == 0, err


def test_watch_ends_badly_with_an_aborted_rollout(stage: Stage) -> None:
    stage.say(an_ended_rollout(a_record(), rejected=CANDIDATE))

    ran = stage.run("watch")

    assert ran.code == 1
    assert "✗ Aborted" in ran.out
    assert "312 of 1,204 requests failed; 1 % may." in ran.out


def test_watch_gives_up_after_its_timeout(stage: Stage) -> None:
    stage.say(a_rollout())

    ran = stage.run("watch", "--timeout", "1s", "-o", "json")

    assert ran.code == 124
    assert len(ran.out.splitlines()) == 1
    assert "it goes on" in ran.err


def test_watch_ends_when_the_model_is_deleted(stage: Stage) -> None:
    stage.say(a_rollout())
    program = stage.start("watch", "--timeout", "120s")
    assert program.stdout is not None
    program.stdout.readline()

    stage.cluster.delete(stage.ref)
    out, _ = program.communicate(timeout=60)

    assert program.returncode == 1
    assert out.strip() == "The Model was deleted while it was watched."


def test_history_lists_the_newest_first(stage: Stage) -> None:
    stage.say(
        an_ended_rollout(a_record(), a_record("Promoted", version="1", endTime=before(4000), startTime=before(5000)))
    )

    table, listed = stage.run("history"), json.loads(stage.run("history", "-o", "json").out)

    assert [line.split()[2] for line in table.out.splitlines() if line.startswith("20")] == ["2", "1"]
    assert [one["outcome"] for one in listed] == ["Aborted", "Promoted"]
    assert "ErrorsGateFailed: 312 of 1,204 requests failed" in table.out


PROMOTED = [
    a_record("Promoted", version=version, stableVersion=str(int(version) - 1), endTime=before(10)) for version in "432"
]


@pytest.mark.parametrize(("how", "version"), [((), "3"), (("--to", "1"), "1")])
def test_rollback_asks_for_a_version_that_had_the_traffic(stage: Stage, how: tuple[str, ...], version: str) -> None:
    stage.say(an_ended_rollout(*PROMOTED), version="4")

    ran = stage.run("rollback", *how)

    assert ran.code == 0, ran.err
    assert f"spec.source.version is {version}" in ran.out
    assert stage.model()["spec"]["source"] == {"name": "digits", "version": version}


def test_rollback_puts_a_version_in_the_place_of_an_alias(stage: Stage) -> None:
    stage.cluster.merge(stage.ref, {"spec": {"source": {"version": None, "alias": "champion"}}})
    stage.say(an_ended_rollout(*PROMOTED), version="4")

    assert stage.run("rollback").code == 0
    assert stage.model()["spec"]["source"] == {"name": "digits", "version": "3"}


@pytest.mark.parametrize(
    ("rollout", "how", "sentence"),
    [
        (a_rollout(), (), "modelyard rollout abort"),
        (an_ended_rollout(), (), "the history knows no other that had it"),
        (an_ended_rollout(*PROMOTED), ("--to", "7"), "those that had it are 3, 2, 1"),
    ],
)
def test_rollback_writes_nothing_where_it_makes_no_sense(
    stage: Stage, rollout: dict[str, Any], how: tuple[str, ...], sentence: str
) -> None:
    stage.say(rollout, version="4")
    before_it = stage.model()["spec"]

    ran = stage.run("rollback", *how)

    assert (ran.code, sentence in ran.err) == (2, True), ran.err
    assert stage.model()["spec"] == before_it


def test_a_model_that_is_not_there_is_a_mistake_of_the_caller(stage: Stage) -> None:
    for verb in ("status", "watch", "history", "promote", "rollback"):
        ran = modelyard(
            "rollout", verb, "nobody", "-n", "demo", cwd=stage.folder, KUBECONFIG=str(stage.api.kubeconfig)
        )  # fmt: skip

        assert ran.code == 2
        assert "there is no Model nobody in namespace demo" in ran.err
