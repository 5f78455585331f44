"""What the evaluator wrote of a Model's rows, as the operator reads it."""

from typing import Any

import pytest

from modelyard.api.model import Model
from modelyard.api.monitoring.comparison import LabelledComparison
from modelyard.api.monitoring.status import DataStatus, MonitoringStatus
from modelyard.core.reporting.monitoring import EVERY_SECONDS
from modelyard.core.snapshot import Failure
from modelyard.core.storage.monitoring_keys import comparison_key, status_key
from modelyard.errors import Unreachable
from modelyard.operator.observer.evaluations import LABELS_SECONDS, EvaluationObserver
from tests.support.operator.answers import DIGITS, PollingByHand

WORD = MonitoringStatus(revision="digits-1", time="2026-11-29T10:00:00Z", data=DataStatus(features=3))


class Bucket(dict[str, bytes]):
    """Objects by key; away when told so."""

    away = False

    def get(self, key: str, default: Any = None) -> Any:
        if self.away:
            raise Unreachable("the store does not answer.")
        return super().get(key, default)


def a_model(revision: str = "digits-1", **monitoring: Any) -> Model:
    spec: dict[str, Any] = {"source": {"name": "digits", "version": "1"}}
    if monitoring:
        spec["monitoring"] = monitoring
    metadata = {"name": "digits", "namespace": "demo"}
    return Model.model_validate({"metadata": metadata, "spec": spec, "status": {"revision": revision}})


RECORDED = a_model(sample="auto")


def written(bucket: Bucket, content: bytes) -> None:
    bucket[status_key("demo", "digits", "digits-1")] = content


def test_the_latest_word_is_read_and_again_by_the_next_look() -> None:
    bucket, polling = Bucket(), PollingByHand()
    observer = EvaluationObserver(bucket, polling)
    assert polling.settled(lambda: observer.of(DIGITS, RECORDED)) is None
    written(bucket, WORD.model_dump_json(by_alias=True).encode())
    assert polling.settled(lambda: observer.of(DIGITS, RECORDED)) is None, "an answer stands for most of a minute"
    polling.clock.pass_by(EVERY_SECONDS)
    assert polling.settled(lambda: observer.of(DIGITS, RECORDED)) == WORD


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", WORD.model_dump_json().replace("29T10", "31T77").encode()])
def test_what_cannot_be_read_is_as_if_it_were_not_there(content: bytes) -> None:
    bucket, polling = Bucket(), PollingByHand()
    written(bucket, content)
    observer = EvaluationObserver(bucket, polling)
    assert polling.settled(lambda: observer.of(DIGITS, RECORDED)) is None


def test_a_store_that_is_away_is_no_answer() -> None:
    bucket, polling = Bucket(), PollingByHand()
    bucket.away = True
    observer = EvaluationObserver(bucket, polling)
    answer = polling.settled(lambda: observer.of(DIGITS, RECORDED))
    assert isinstance(answer, Failure)
    assert answer.retry


@pytest.mark.parametrize("model", [a_model(), a_model(drift={"falseAlarms": "1/y"}), a_model("", sample="auto")])
def test_nothing_is_asked_of_a_model_that_is_not_recorded_or_does_not_serve(model: Model) -> None:
    polling = PollingByHand()
    assert EvaluationObserver(Bucket(), polling).of(DIGITS, model) is None
    assert polling.answer() == 0


COMPARED = LabelledComparison(
    stable="digits-1", candidate="digits-2", since="2026-11-29T09:00:00Z", time="2026-11-29T10:00:00Z",
    units=((0, 2, 1.0, 3, 0.5),),  # pyright: ignore[reportArgumentType]
)  # fmt: skip


def tried(feedback: bool = True, candidate: str = "digits-2") -> Model:
    """A Model with a rollout under way, as it is stored."""
    model = a_model(sample="auto", log={"columns": ["*"]}, feedback={}).model_dump(by_alias=True, exclude_none=True)
    model["spec"]["rollout"] = {"strategy": "Canary", **({"feedback": {}} if feedback else {})}
    model["status"]["rollout"] = {"phase": "Advancing", "stable": "digits-1", "candidate": candidate}
    return Model.model_validate(model)


def test_what_labels_say_of_a_candidate_is_read_while_its_rollout_asks_for_that() -> None:
    bucket, polling = Bucket(), PollingByHand()
    observer = EvaluationObserver(bucket, polling)
    assert polling.settled(lambda: observer.labelled(DIGITS, tried())) is None
    bucket[comparison_key("demo", "digits", "digits-2")] = COMPARED.model_dump_json(by_alias=True).encode()
    polling.clock.pass_by(LABELS_SECONDS)
    assert polling.settled(lambda: observer.labelled(DIGITS, tried())) == COMPARED
    bucket.away = True
    polling.clock.pass_by(LABELS_SECONDS)
    assert isinstance(polling.settled(lambda: observer.labelled(DIGITS, tried())), Failure)


@pytest.mark.parametrize("model", [a_model(), tried(feedback=False), tried(candidate="")])
def test_no_labels_are_asked_for_where_none_are_to_judge(model: Model) -> None:
    polling = PollingByHand()
    assert EvaluationObserver(Bucket(), polling).labelled(DIGITS, model) is None
    assert polling.answer() == 0
