"""What is told of versions in another registry."""

from typing import Any

import pytest

from modelyard.core.storage.version_tags import Promotion, promotion, version_tags
from tests.support.objects.rollout_statuses import CANDIDATE, STABLE, a_gate, a_record, a_revision, before
from tests.support.worlds.builders import a_model

STAGE, SLO = "modelyard.stage.demo.digits", "modelyard.slo.demo.digits"
DIGEST = "sha256:" + "1" * 64


def status(**more: Any) -> dict[str, Any]:
    return {"version": "1", "revision": STABLE, "revisions": [a_revision()], **more}


def test_nothing_is_said_of_a_model_that_serves_nothing() -> None:
    model = a_model(status={"entry": {"name": "digits", "version": "1", "digest": DIGEST}})

    assert version_tags(model) == {}
    assert promotion(model) is None


def test_what_serves_has_a_stage_and_a_digest() -> None:
    model = a_model(status=status(entry={"name": "digits", "version": "1", "digest": DIGEST}))

    assert version_tags(model) == {"1": {STAGE: "Serving", "modelyard.digest": DIGEST}}


def test_a_candidate_has_the_answers_of_its_gates() -> None:
    rollout = {
        "phase": "Advancing",
        "stable": STABLE,
        "candidate": CANDIDATE,
        "version": "2",
        "gates": [a_gate("latency", "Pass"), a_gate("errors")],
    }
    revisions = [a_revision(), a_revision(CANDIDATE, 10)]
    model = a_model(status=status(revisions=revisions, rollout=rollout))

    assert version_tags(model) == {
        "1": {STAGE: "Serving"}, "2": {STAGE: "Candidate", SLO: "errors=Continue latency=Pass"}
    }  # fmt: skip
    assert promotion(model) is None


@pytest.mark.parametrize(("stage", "said"), [("Draining", "Leaving"), ("Standby", "Standby")])
def test_a_revision_that_goes_says_so(stage: str, said: str) -> None:
    model = a_model(status=status(revisions=[a_revision(), a_revision(CANDIDATE, 0, stage)]))

    assert version_tags(model)["2"] == {STAGE: said}


def test_what_has_ended_says_how() -> None:
    history = [
        a_record("RolledBack", version="3", stableVersion="2"),
        a_record("Promoted", version="2", stableVersion="1", endTime=before(60)),
        a_record("Promoted", version="1", stableVersion=""),
    ]
    done = status(version="2", revision=CANDIDATE, revisions=[a_revision(CANDIDATE)], rollout={"history": history})
    model = a_model(status=done)

    assert version_tags(model) == {"1": {STAGE: "Replaced"}, "2": {STAGE: "Serving"}, "3": {STAGE: "RolledBack"}}
    assert promotion(model) == Promotion("2", "modelyard.promoted.demo.digits", before(60))


def test_a_promotion_that_was_gone_back_on_is_none_any_more() -> None:
    history = [a_record("Promoted", version="2", stableVersion="1")]

    assert promotion(a_model(status=status(rollout={"history": history}))) is None
    assert promotion(a_model(status=status(rollout={"history": []}))) is None
