"""What a real API server says to a Model: every mistake is refused with the sentence that mends it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config

from modelyard.api.model import Model
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.core.snapshot import Ref
from tests.support.objects.refusals import ACCEPTED, REFUSALS, SOURCE, Refusal
from tests.support.operator.real_apiserver import RealApiServer

pytestmark = pytest.mark.integration

TOO_LONG = "the name of a Model has at most 40 characters: shorten it"
TWO_DASHES = "the name of a Model has no two dashes in a row: write one dash"
LETTERS = (
    "the name of a Model starts with a lower-case letter, goes on with lower-case letters, digits and dashes, "
    "and ends with a letter or digit: write digits-v2, not 2digits or digits.v2"
)
NOT_CHECKED = "some validation rules were not checked"


def a_model(spec: dict[str, Any], name: str = "digits", **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "demo"}
    return {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Model", "metadata": metadata, "spec": spec, **more}


def create(apiserver: RealApiServer, model: dict[str, Any], dry_run: bool = True) -> dict[str, Any]:
    """The Model as the API server would keep it, or as it keeps it."""
    how: dict[str, Any] = {"dry_run": "All"} if dry_run else {}
    api = client.CustomObjectsApi(apiserver.client)
    return api.create_namespaced_custom_object(
        "modelyard.dev", "v1alpha1", "demo", "models", model, field_validation="Strict", **how
    )


def refusals(apiserver: RealApiServer, model: dict[str, Any]) -> list[tuple[str, str]]:
    """Field and sentence of every cause the API server refuses the Model for."""
    with pytest.raises(client.ApiException) as refused:
        create(apiserver, model)
    told = json.loads(str(refused.value.body))
    causes = told.get("details", {}).get("causes") or [{"field": "", "message": told["message"]}]
    return [(one.get("field", ""), one["message"]) for one in causes if NOT_CHECKED not in one["message"]]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
def test_a_mistake_is_refused_with_the_sentence_that_mends_it(apiserver: RealApiServer, case: Refusal) -> None:
    [(field, message)] = refusals(apiserver, a_model(case.spec))

    assert field == case.field
    assert message.endswith(f": {case.sentence}")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("a" * 41, TOO_LONG),
        ("digits--v2", TWO_DASHES),
        ("digits.v2", LETTERS),
        ("2digits", LETTERS),
    ],
)
def test_a_name_too_odd_for_children_is_refused(apiserver: RealApiServer, name: str, sentence: str) -> None:
    assert refusals(apiserver, a_model({"source": SOURCE}, name)) == [("metadata.name", f"Invalid value: {sentence}")]


def test_the_longest_name_is_accepted(apiserver: RealApiServer) -> None:
    assert create(apiserver, a_model({"source": SOURCE}, "a" * 40))["metadata"]["name"] == "a" * 40


def test_an_unknown_runtime_is_refused_with_the_known_ones(apiserver: RealApiServer) -> None:
    found = refusals(apiserver, a_model({"source": SOURCE, "serving": {"runtime": "tpu"}}))

    assert found == [
        ("spec.serving.runtime", 'Unsupported value: "tpu": supported values: "auto", "cpu", "gpu"'),
    ]


def test_an_unknown_field_is_refused_by_its_path(apiserver: RealApiServer) -> None:
    [(_, message)] = refusals(apiserver, a_model({"source": {**SOURCE, "versoin": "2"}}))

    assert 'unknown field "spec.source.versoin"' in message


def test_a_model_without_source_is_told_what_is_missing(apiserver: RealApiServer) -> None:
    assert refusals(apiserver, a_model({})) == [("spec.source", "Required value")]


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_a_right_spec_is_accepted(apiserver: RealApiServer, spec: dict[str, Any]) -> None:
    kept = create(apiserver, a_model(spec))["spec"]

    assert kept["source"] == spec["source"]


def test_defaults_are_written_into_the_object_so_that_later_ones_change_nothing(apiserver: RealApiServer) -> None:
    spec = create(apiserver, a_model({"source": SOURCE, "scaling": {"maxReplicas": 2}}))["spec"]

    assert spec == {
        "source": SOURCE,
        "serving": {"runtime": "auto", "replicas": 1},
        "scaling": {
            "minReplicas": 1,
            "maxReplicas": 2,
            "targetUtilization": "75%",
            "scaleDownDelay": "5m",
            "idleAfter": "10m",
        },
        "rollout": {"strategy": "Canary"},
    }


def test_defaults_inside_a_part_are_written_only_where_the_part_is_wanted(apiserver: RealApiServer) -> None:
    wanted = {"strategy": "Shadow", "shadow": {"then": "Canary"}, "steps": [{"weight": 5}], "loadTest": {}}

    rollout = create(apiserver, a_model({"source": SOURCE, "rollout": wanted}))["spec"]["rollout"]

    tolerance = {"absolute": 0.001, "relative": 0.01}
    assert rollout["shadow"] == {"then": "Canary", "percent": 10, "samples": 200, "tolerance": tolerance}
    assert rollout["steps"] == [{"weight": 5}], "a list stays as it was applied"
    assert rollout["loadTest"] == {"scenario": "steady"}
    assert set(rollout) == set(wanted)


def test_an_optimization_is_kept_with_every_default(apiserver: RealApiServer) -> None:
    kept = create(apiserver, a_model({"source": SOURCE, "optimize": {}}))["spec"]["optimize"]

    precisions = ["fp32", "fp16", "int8", "int4"]
    assert kept == {
        "goal": "latency", "maxQualityLoss": "1%", "precisions": precisions, "budget": "10m", "wait": False,
        "train": False,
    }  # fmt: skip
    assert "optimize" not in create(apiserver, a_model({"source": SOURCE}))["spec"]


@pytest.mark.parametrize(
    ("optimize", "field"),
    [
        ({"goal": "speed"}, "goal"),
        ({"precisions": ["fp64"]}, "precisions[0]"),
        ({"precisions": []}, "precisions"),
        ({"precisions": ["fp32", "fp16", "bf16", "int8", "int4", "fp32"]}, "precisions"),
    ],
)
def test_an_optimization_of_an_unknown_kind_is_refused(
    apiserver: RealApiServer, optimize: dict[str, Any], field: str
) -> None:
    found = refusals(apiserver, a_model({"source": SOURCE, "optimize": optimize}))

    assert {at for at, _ in found} == {f"spec.optimize.{field}"}


@pytest.mark.parametrize(
    ("rollout", "field", "known"),
    [
        ({"strategy": "canary"}, "strategy", '"Canary", "BlueGreen", "Shadow", "AB", "Recreate", "Immediate"'),
        ({"onInconclusive": "Wait"}, "onInconclusive", '"Abort", "Hold", "Promote"'),
        ({"strategy": "Shadow", "shadow": {"then": "AB"}}, "shadow.then", '"Canary"'),
        (
            {"command": {"id": "1", "action": "rollback"}},
            "command.action",
            '"promote", "abort", "pause", "resume", "retry"',
        ),
    ],
)
def test_an_unknown_word_in_a_rollout_is_refused_with_the_known_ones(
    apiserver: RealApiServer, rollout: dict[str, Any], field: str, known: str
) -> None:
    [(at, message)] = refusals(apiserver, a_model({"source": SOURCE, "rollout": rollout}))

    assert at == f"spec.rollout.{field}"
    assert message.endswith(f"supported values: {known}")


@pytest.fixture
def printed_model(apiserver: RealApiServer) -> Iterator[None]:
    """A Model that is really kept for the time of a test: operators of later tests would take it up."""
    create(apiserver, a_model({"source": SOURCE}, "printed", status={"version": "ignored"}), dry_run=False)
    yield
    api = client.CustomObjectsApi(apiserver.client)
    api.delete_namespaced_custom_object("modelyard.dev", "v1alpha1", "demo", "models", "printed")


@pytest.mark.usefixtures("printed_model")
def test_the_status_is_a_subresource_and_its_columns_are_printed(apiserver: RealApiServer) -> None:
    condition = {"type": "Ready", "status": "True", "reason": "Serving", "message": "It serves."}
    status = {
        "conditions": [{**condition, "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        "version": "1",
        "revision": "printed-0123456789",
        "traffic": "95 % / 5 %",
        "replicas": 2,
        "url": "http://printed.demo.models.local",
        "rollout": {"phase": "Advancing", "candidate": "printed-9876543210", "weight": 5, "reason": "Weighing"},
        "optimization": {"digest": "sha256:" + "0" * 64, "summary": "openvino-int8 3.1x"},
    }
    client.CustomObjectsApi(apiserver.client).patch_namespaced_custom_object_status(
        "modelyard.dev", "v1alpha1", "demo", "models", "printed", {"status": status}
    )

    look = ("get", "mdl", "printed", "-n", "demo")
    printed = [re.split(r"\s{2,}", line) for line in apiserver.run("kubectl", *look).stdout.splitlines()]
    wide = [re.split(r"\s{2,}", line) for line in apiserver.run("kubectl", *look, "-o", "wide").stdout.splitlines()]
    listed = apiserver.run("kubectl", "get", "modelyard", "-n", "demo", "-o", "name").stdout

    assert printed[0] == ["NAME", "READY", "VERSION", "TRAFFIC", "REPLICAS", "ROLLOUT", "OPTIMIZED", "URL", "AGE"]
    expected = [
        "printed",
        "True",
        "1",
        "95 % / 5 %",
        "2",
        "Advancing",
        "openvino-int8 3.1x",
        "http://printed.demo.models.local",
    ]
    assert printed[1][:-1] == expected
    assert wide[0] == [*printed[0], "REVISION", "CANDIDATE", "WEIGHT", "WHY", "COST", "IDLE"]
    assert wide[1][len(printed[0]) :][:4] == ["printed-0123456789", "printed-9876543210", "5", "Weighing"]
    assert "model.modelyard.dev/printed" in listed.split()


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("model", "A Model serves one registry entry over HTTP and gRPC"),
        ("model.spec.source", "The registry entry to serve"),
        ("model.spec.slo.latency", "How fast answers are."),
        ("model.spec.serving.runtime", "cpu, gpu, or auto"),
        ("model.spec.rollout.strategy", "Canary, BlueGreen, Shadow, AB, Recreate or Immediate."),
        ("model.spec.rollout.ab.header", "Request header that names the user."),
        ("model.spec.optimize.wait", "Serve nothing of a new version before it is optimized"),
        ("model.status.rollout.gates", "What is asked of the candidate."),
        ("model.status.revisions", "the one that serves and one that comes or goes"),
    ],
)
def test_kubectl_explain_says_what_a_field_is_for(apiserver: RealApiServer, path: str, sentence: str) -> None:
    told = apiserver.run("kubectl", "explain", path).stdout

    assert sentence in " ".join(told.split())


@pytest.mark.usefixtures("printed_model")
def test_the_status_of_another_version_is_kept_as_it_was_written(apiserver: RealApiServer) -> None:
    newer = {"trend": {"slope": 0.5, "of": ["errors"]}}
    gate = {"name": "errors", "verdict": "Postponed", **newer}
    status = {"rollout": {"phase": "Verifying", "gates": [gate], "command": {"id": "1", **newer}, **newer}, **newer}
    ref = Ref("Model", "demo", "printed")
    cluster = Cluster(config.new_client_from_config(str(apiserver.kubeconfig)).configuration)
    stored = cluster.get(ref)
    assert stored is not None

    cluster.apply_status(ref, stored["metadata"]["uid"], status)

    kept = cluster.get(ref)
    assert kept is not None
    assert kept["status"] == status
    assert Model.model_validate({name: kept[name] for name in ("metadata", "spec", "status")}).name == "printed"


def test_the_same_file_applied_again_changes_nothing_whoever_applies_it(apiserver: RealApiServer) -> None:
    rollout = {"strategy": "Canary", "steps": [{"weight": 20}, {"weight": 50}], "bake": "20s"}
    text = json.dumps(a_model({"source": SOURCE, "slo": {"errorRate": "5%"}, "rollout": rollout}, "gitops"))
    said = [apiserver.run("kubectl", "apply", "-f", "-", stdin=text).stdout.split()[-1] for _ in range(3)]
    kept = Cluster(access(apiserver.kubeconfig)).get(Ref("Model", "demo", "gitops")) or {}
    by_server = apiserver.run("kubectl", "apply", "--server-side", "-f", "-", stdin=text)
    drift = apiserver.run("kubectl", "diff", "--server-side", "-f", "-", stdin=text)
    apiserver.run("kubectl", "delete", "model", "gitops", "-n", "demo")

    assert said == ["created", "unchanged", "unchanged"]
    assert kept["spec"]["rollout"]["steps"] == rollout["steps"]
    assert by_server.returncode == 0, by_server.stderr
    assert (drift.returncode, drift.stdout) == (0, "")
