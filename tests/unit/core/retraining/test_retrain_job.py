"""The Job of a retraining, and the event of a webhook."""

import json

import pytest

from modelyard.api.lifecycle.retrain import RetrainCause
from modelyard.api.lifecycle.retraining_status import RetrainingRun
from modelyard.core.names import CHECK_LABEL, MODEL_LABEL, NAMESPACE_LABEL, RETRAIN_LABEL
from modelyard.core.retraining.cpu_budget import next_month
from modelyard.core.retraining.retrain_job import retrain_job
from modelyard.core.retraining.webhook_event import event_body
from tests.support.monitoring.retraining_worlds import RECIPE, SINCE, TRAINER, WATCHED
from tests.support.worlds.builders import a_model, settings

RUN = RetrainingRun(
    id="2027-01-15T08:00:00.000Z", causes=[RetrainCause.DECAY, RetrainCause.AGE], evidence="It decayed.", since=SINCE,
    revision="digits-1", version="1", start_time="2027-01-15T08:00:00.000Z",
)  # fmt: skip
PLATFORM = settings(build=TRAINER)


def test_the_command_is_one_that_a_person_could_type() -> None:
    job = retrain_job(a_model(monitoring=WATCHED, retrain=RECIPE), RUN, PLATFORM, None)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == [
        "modelyard", "retrain", "digits", "--namespace", "demo", "--entry", "digits:1",
        "--recipe", "retrain.py:retrain", "--run", RUN.id, "--reason", "decay,age", "--days", "60", "--trust-code",
        "--publish", "--since", SINCE, "--slice", "sex",
    ]  # fmt: skip


def test_what_is_not_known_is_left_out_of_the_command() -> None:
    watched = {**WATCHED, "feedback": {"output": "label"}}
    run = RUN.model_copy(update={"since": ""})
    job = retrain_job(a_model(monitoring=watched, retrain=RECIPE), run, PLATFORM, None)
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert container["command"][-3:] == ["--publish", "--output-name", "label"]


def test_the_authors_code_has_no_keys_and_no_rights() -> None:
    pod = retrain_job(a_model(monitoring=WATCHED, retrain=RECIPE), RUN, PLATFORM, None)["spec"]["template"]["spec"]
    [trainer] = pod["initContainers"]
    assert (trainer["name"], trainer["image"], trainer["restartPolicy"]) == ("trainer", TRAINER.train_image, "Always")
    assert not [one for one in trainer["env"] if "STORE" in one["name"]]
    assert pod["automountServiceAccountToken"] is False
    assert {one["mountPath"] for one in trainer["volumeMounts"]} == {"/train", "/tmp"}


def test_it_is_the_models_job_and_nobody_takes_it_for_a_check() -> None:
    job = retrain_job(a_model(monitoring=WATCHED, retrain=RECIPE), RUN, PLATFORM, 120.4)
    labels = job["metadata"]["labels"]
    assert (labels[MODEL_LABEL], labels[NAMESPACE_LABEL], len(labels[RETRAIN_LABEL])) == ("digits", "demo", 16)
    assert CHECK_LABEL not in labels
    assert MODEL_LABEL not in job["spec"]["template"]["metadata"]["labels"]
    assert job["metadata"]["namespace"] == PLATFORM.operator.namespace
    assert job["spec"]["activeDeadlineSeconds"] == 120


@pytest.mark.parametrize(
    "spec",
    [{}, {"retrain": {"when": ["decay"], "webhook": {"url": "https://t.example.com"}}, "monitoring": WATCHED}],
    ids=["nothing", "webhook"],
)
def test_without_a_recipe_there_is_no_job(spec: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="has no recipe"):
        retrain_job(a_model(**spec), RUN, PLATFORM, None)


def test_an_event_says_what_serves_and_why_another_is_wanted() -> None:
    model = a_model(monitoring=WATCHED, retrain=RECIPE)
    assert json.loads(event_body(model, RUN)) == {
        "id": RUN.id, "namespace": "demo", "model": "digits", "entry": "digits", "version": "1", "revision": "digits-1",
        "causes": ["decay", "age"], "evidence": "It decayed.", "time": RUN.start_time,
    }  # fmt: skip
    assert event_body(model, RUN) == event_body(model, RUN)


@pytest.mark.parametrize("now", [1_798_675_200.0, 1_800_000_000.0], ids=["december", "january"])
def test_a_month_ends_at_midnight_in_utc(now: float) -> None:
    assert next_month(now) > 0
    assert next_month(now + next_month(now) - 1) == pytest.approx(1)
    assert next_month(now) <= 31 * 86_400
