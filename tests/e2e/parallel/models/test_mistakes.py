"""Mistakes are told with cause and remedy, and never disturb what serves."""

import numpy as np
import pytest

from tests.support.cluster.kubectl import apply, eventually, get, items, run
from tests.support.cluster.models import a_model, applied, condition, infer, output, owned, until

IMAGE = np.zeros((1, 1, 8, 8), dtype=np.float32)


@pytest.fixture
def revision(shared_namespace: str) -> str:
    """The revision of version 1, which serves in the file's namespace and is all that is wanted."""
    applied(a_model("digits", shared_namespace))
    return until("digits", shared_namespace, "Reconciling", "False", "Done")["status"]["revision"]


def pods(revision: str, namespace: str) -> list[str]:
    """The pods of a revision, by uid."""
    found = items("pods", namespace, f"serving.kserve.io/inferenceservice={revision}")
    return [pod["metadata"]["uid"] for pod in found]


def test_an_unknown_version_is_told_with_what_there_is(namespace: str) -> None:
    applied(a_model("digits", namespace, version="99"))

    model = until("digits", namespace, "Stalled", "True")

    told = condition(model, "EntryResolved")
    assert (told["status"], told["reason"]) == ("False", "UnknownEntry")
    assert "99" in told["message"]
    assert owned("digits", namespace) == []


def test_a_bad_wish_leaves_the_serving_revision_alone(revision: str, shared_namespace: str) -> None:
    before = pods(revision, shared_namespace)

    applied(a_model("digits", shared_namespace, version="99"))
    model = until("digits", shared_namespace, "Stalled", "True")

    assert condition(model, "Ready")["status"] == "False"
    assert condition(model, "Serving")["status"] == "True"
    assert model["status"]["revision"] == revision
    assert output(infer("digits", shared_namespace, "input", IMAGE)).shape == (1, 10)
    assert pods(revision, shared_namespace) == before != []


def test_a_server_without_enough_memory_is_named_and_the_old_one_serves_on(
    revision: str, shared_namespace: str
) -> None:
    starved = {"resources": {"requests": {"memory": "16Mi"}, "limits": {"memory": "16Mi"}}}
    applied(a_model("digits", shared_namespace, version="2", serving=starved))
    model = until("digits", shared_namespace, "Stalled", "True")

    assert condition(model, "Ready")["reason"] in ("OutOfMemory", "StartTimedOut")
    assert "limits.memory" in condition(model, "Ready")["message"]
    assert model["status"]["revision"] == revision
    assert output(infer("digits", shared_namespace, "input", IMAGE)).shape == (1, 10)

    applied(a_model("digits", shared_namespace))
    mended = until("digits", shared_namespace, "Reconciling", "False", "Done")
    assert mended["status"]["revision"] == revision
    served = eventually(
        lambda: (
            (found := [one for one in owned("digits", shared_namespace) if one.startswith("Inference")])
            and len(found) == 1
            and found
        ),
        "the starved revision is gone",
    )
    assert served == [f"InferenceService/{revision}"]


def test_an_onnx_that_cannot_be_parsed_stops_at_the_build_with_a_sentence(namespace: str) -> None:
    run("python", "-m", "tests.support.artifacts.broken_entry", "torn", "1")

    applied(a_model("torn", namespace, entry="torn"))
    model = until("torn", namespace, "Stalled", "True")

    told = condition(model, "Built")
    assert told["status"] == "False"
    assert "model.onnx" in told["message"]
    assert "Traceback" not in told["message"]
    assert items("inferenceservices.serving.kserve.io", namespace) == []


def test_the_api_server_refuses_contradictions_with_a_sentence(namespace: str) -> None:
    manifest = a_model("digits", namespace)
    manifest["spec"]["source"]["alias"] = "champion"

    refused = apply(manifest, check=False)

    assert refused.returncode != 0
    assert "only one of them" in refused.stderr
    assert get("model", "digits", namespace) is None
