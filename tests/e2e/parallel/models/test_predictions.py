"""A Model is applied, and answers over HTTP by host and by path, and over gRPC."""

import json
from pathlib import Path

import numpy as np
import pytest

from modelyard import Client
from modelyard.clients.cluster.access import access
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.gateway_address import reached
from modelyard.clients.inference.predictions import Endpoint, connect
from modelyard.settings import Settings
from tests.support.cluster.kubectl import ROOT, environment, kubectl, run
from tests.support.cluster.models import a_model, applied, condition, host, infer, output, until
from tests.support.machine.command_line import modelyard

DIGITS = np.load(ROOT / "model-repo" / "digits" / "1" / "eval.npz")
IMAGE, LOGITS = "input:input", "output:logits"
TENSOR = IMAGE.partition(":")[2]


@pytest.fixture(scope="module")
def digits(shared_namespace: str) -> str:
    """The namespace in which a Model serves digits version 1; it is only asked."""
    applied(a_model("digits", shared_namespace))
    until("digits", shared_namespace, "Reconciling", "False", "Done")
    return shared_namespace


def test_a_model_answers_over_http_as_its_entry_promised(digits: str) -> None:
    images = DIGITS[IMAGE][:5].astype(np.float32)

    by_host = output(infer("digits", digits, TENSOR, images))
    by_path = output(infer("digits", digits, TENSOR, images, by_path=True))

    np.testing.assert_allclose(by_host, DIGITS[LOGITS][:5], atol=1e-3)
    np.testing.assert_allclose(by_path, by_host, atol=1e-5)


def test_a_model_answers_over_grpc_as_its_entry_promised(digits: str, tmp_path: Path) -> None:
    inputs = tmp_path / "image.npz"
    np.savez(inputs, **{TENSOR: DIGITS[IMAGE][:1].astype(np.float32)})

    told = run(
        "modelyard", "predict", "digits", "-n", digits, "--input", str(inputs), "--grpc", "--output", "json"
    ).stdout

    logits = np.asarray(json.loads(told)["outputs"][0]["data"]).reshape(1, -1)
    np.testing.assert_allclose(logits, DIGITS[LOGITS][:1], atol=1e-3)


def test_a_prediction_needs_a_kubeconfig_and_nothing_else(digits: str, tmp_path: Path) -> None:
    inputs = tmp_path / "image.npz"
    np.savez(inputs, **{TENSOR: DIGITS[IMAGE][:1].astype(np.float32)})

    words = ("predict", "digits", "-n", digits, "--input", str(inputs), "--output", "json")
    ran = modelyard(*words, cwd=tmp_path, KUBECONFIG=environment()["KUBECONFIG"])

    assert ran.code == 0, ran.err
    logits = np.asarray(json.loads(ran.out)["outputs"][0]["data"]).reshape(1, -1)
    np.testing.assert_allclose(logits, DIGITS[LOGITS][:1], atol=1e-3)


@pytest.mark.parametrize("grpc", [False, True])
def test_without_any_address_a_port_is_forwarded_through_the_api_server(digits: str, grpc: bool) -> None:
    cluster = Cluster(access(Path(environment()["KUBECONFIG"])))

    with reached(Settings.model_construct(), lambda: cluster, lambda _: "not to be tried") as address:
        connection = connect(Endpoint(address.url, "digits", host("digits", digits)), grpc=grpc)
        answer = connection.predict({TENSOR: DIGITS[IMAGE][:1].astype(np.float32)})
        connection.close()

    assert "forwarded" in address.origin
    np.testing.assert_allclose(answer.outputs["logits"], DIGITS[LOGITS][:1], atol=1e-3)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_python_client_finds_the_model_by_itself(
    digits: str, protocol: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", environment()["KUBECONFIG"])
    images = DIGITS[IMAGE][:5].astype(np.float32)

    with Client.from_cluster(digits, protocol=protocol) as client:
        client.wait_ready("digits", timeout=60)
        answer = client.infer("digits", images)
        [model] = [model for model in client.models() if model.name == "digits"]
        rollout = client.rollout("digits")

    np.testing.assert_allclose(answer.outputs["logits"], DIGITS[LOGITS][:5], atol=1e-3)
    assert answer.request_id
    assert answer.revision.startswith("digits-")
    assert (model.ready, model.version, rollout.active) == (True, "1", False)


def test_answers_name_the_revision_and_a_request_can_be_pinned_to_it(digits: str) -> None:
    model = until("digits", digits, "Reconciling", "False", "Done")
    revision = model["status"]["revision"]
    image = DIGITS[IMAGE][:1].astype(np.float32)

    plain = infer("digits", digits, TENSOR, image)
    pinned = infer("digits", digits, TENSOR, image, headers={"x-modelyard-revision": revision})

    assert plain.headers["x-modelyard-revision"] == revision
    assert pinned.headers["x-modelyard-revision"] == revision


def test_the_status_tells_what_serves_and_where(digits: str) -> None:
    model = until("digits", digits, "Reconciling", "False", "Done")

    status = model["status"]

    assert status["entry"]["version"] == "1"
    assert status["entry"]["digest"].startswith("sha256:")
    assert [one["weight"] for one in status["revisions"]] == [100]
    assert status["url"].startswith(f"http://digits.{digits}.")
    assert {kind: condition(model, kind)["status"] for kind in ("EntryResolved", "Built", "Serving", "Routed")} == {
        "EntryResolved": "True",
        "Built": "True",
        "Serving": "True",
        "Routed": "True",
    }
    row = kubectl("get", "mdl", "digits", "-n", digits, "--no-headers").stdout.split()
    assert row[:6] == ["digits", "True", "1", "100%", "1", "Idle"]


def test_a_scikit_learn_model_is_served_like_any_other(namespace: str) -> None:
    applied(a_model("tumours", namespace, entry="breast-cancer"))
    until("tumours", namespace, "Reconciling", "False", "Done")
    sample = np.load(ROOT / "model-repo" / "breast-cancer" / "1" / "eval.npz")
    key = next(name for name in sample.files if name.startswith("input:"))

    answer = infer("tumours", namespace, key.partition(":")[2], sample[key][:3].astype(np.float32))

    outputs = {one["name"]: one["data"] for one in answer.json()["outputs"]}
    expected = next(name for name in sample.files if name.startswith("output:") and "label" in name)
    assert outputs[expected.partition(":")[2]] == sample[expected][:3].ravel().tolist()


def test_the_kserve_client_gets_the_same_answer(digits: str, tmp_path: Path) -> None:
    image = tmp_path / "image.npy"
    np.save(image, DIGITS[IMAGE][:1].astype(np.float32))

    told = run("python", "-m", "tests.support.cluster.kserve_client", "digits", digits, TENSOR, str(image)).stdout

    np.testing.assert_allclose(np.asarray(json.loads(told)), DIGITS[LOGITS][0], atol=1e-3)
