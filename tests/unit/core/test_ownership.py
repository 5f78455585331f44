"""Whose an object is, by what stands on it; the kinds are those that the operator makes."""

from typing import Any

import pytest

from modelyard.core.kinds import CHILDREN
from modelyard.core.ownership import ours, refusal

MODEL = {"name": "digits", "namespace": "demo", "uid": "uid-0"}
OWNED = [row.kind for row in CHILDREN if row.made and row.kind != "Job"]
OURS = {"app.kubernetes.io/managed-by": "modelyard", "modelyard.dev/build": "0123456789abcdef"}


def an_object(kind: str, **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "digits", "namespace": "demo", "uid": "uid-9", **metadata}}


def owned_by(kind: str, name: str, uid: str, **more: Any) -> dict[str, Any]:
    return {"ownerReferences": [{"kind": kind, "name": name, "uid": uid, **more}]}


@pytest.mark.parametrize("kind", OWNED)
def test_what_the_model_owns_is_its_own(kind: str) -> None:
    assert refusal(an_object(kind, **owned_by("Model", "digits", "uid-0", controller=True)), MODEL) is None


@pytest.mark.parametrize("kind", OWNED)
def test_our_labels_alone_make_nothing_ours(kind: str) -> None:
    labels = {"modelyard.dev/model": "digits", "app.kubernetes.io/managed-by": "modelyard"}
    refused = refusal(an_object(kind, labels=labels), MODEL)

    assert refused is not None
    assert not refused.retry
    assert f"{kind} demo/digits belongs to somebody else" in refused.message
    assert 'modelyard.dev/adopt: "true"' in refused.message


@pytest.mark.parametrize("marks", ["annotations", "labels"])
@pytest.mark.parametrize("kind", OWNED)
def test_a_person_may_hand_an_object_over(kind: str, marks: str) -> None:
    assert refusal(an_object(kind, **{marks: {"modelyard.dev/adopt": "true"}}), MODEL) is None
    assert refusal(an_object(kind, **{marks: {"modelyard.dev/adopt": "false"}}), MODEL) is not None


def test_what_a_controller_owns_cannot_be_handed_over() -> None:
    marks = {"annotations": {"modelyard.dev/adopt": "true"}}
    refused = refusal(an_object("Secret", **owned_by("SealedSecret", "keys", "uid-5", controller=True), **marks), MODEL)

    assert refused is not None
    assert "belongs to SealedSecret keys" in refused.message


@pytest.mark.parametrize(
    "metadata",
    [{"deletionTimestamp": "2026-01-01T00:00:00Z"}, owned_by("Model", "digits", "uid-of-an-earlier-one")],
    ids=["being deleted", "of a Model that is gone"],
)
def test_what_is_about_to_go_is_waited_for(metadata: dict[str, Any]) -> None:
    refused = refusal(an_object("HTTPRoute", **metadata), MODEL)

    assert refused is not None
    assert refused.retry


@pytest.mark.parametrize(
    ("labels", "annotations", "expected"),
    [
        (OURS, {"modelyard.dev/desired": "0123"}, True),
        ({**OURS, "modelyard.dev/build": None}, {"modelyard.dev/desired": "0123"}, True),
        (OURS, {}, False),
        ({"modelyard.dev/build": "0123"}, {"modelyard.dev/desired": "0123"}, False),
        ({"app.kubernetes.io/managed-by": "modelyard"}, {"modelyard.dev/desired": "0123"}, False),
    ],
    ids=["a build", "a build without a value", "no digest", "somebody else's", "neither build nor check"],
)
def test_a_job_is_ours_by_labels_and_digest(
    labels: dict[str, Any], annotations: dict[str, Any], expected: bool
) -> None:
    job = an_object("Job", labels=labels, annotations=annotations)

    assert ours(job, "") is expected
    assert (refusal(job, MODEL) is None) is expected


def test_a_job_cannot_be_handed_over() -> None:
    refused = refusal(an_object("Job", annotations={"modelyard.dev/adopt": "true"}), MODEL)

    assert refused is not None
    assert "adopt" not in refused.message
