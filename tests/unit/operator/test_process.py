"""Before there is anything to watch, the process waits, says for what, and ends when asked."""

import threading
from typing import Any

from kubernetes.client import Configuration

from modelyard.clients.store import S3Store
from modelyard.operator.cache.objects import Key
from modelyard.operator.process import HAND_OVER_SECONDS, Library, Operator
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import OperatorSettings, Settings, StoreSettings


def an_operator() -> Operator:
    """One that reaches nobody."""
    access = Configuration()
    access.host = "http://127.0.0.1:1"
    store = S3Store(StoreSettings(endpoint="http://127.0.0.1:1"))
    settings = Settings.model_construct(operator=OperatorSettings(metrics_port=0))
    return Operator(settings, access, Library(BucketRegistry(store), store))


class Hanging:
    """A component that uses all the patience it is given, in a list, and is never done."""

    def __init__(self, waited: list[float]) -> None:
        self.waited = waited

    def stop(self, patience: float = 0.0) -> None:
        self.waited.append(patience)

    close = join = stop

    def is_alive(self) -> bool:
        return True


def test_handing_over_is_bounded_whoever_hangs(monkeypatch: Any) -> None:
    operator, waited = an_operator(), list[float]()
    operator.endpoints.start()
    leaving, hanging = threading.Event(), Hanging(waited)
    for part in ("workers", "writes", "sampler", "watches"):
        monkeypatch.setattr(operator, part, hanging)
    operator._hand_over(leaving, hanging)  # type: ignore[arg-type]

    assert leaving.is_set()
    assert sum(waited) == HAND_OVER_SECONDS
    assert len(waited) == 5


def test_without_an_api_server_it_is_healthy_not_ready_and_ends_when_asked() -> None:
    operator = an_operator()
    stop, ended = threading.Event(), []
    thread = threading.Thread(target=lambda: ended.append(operator.run(stop)))
    thread.start()
    waits = threading.Event()
    for _ in range(600):
        if "did not answer" in operator.ready()[1] or waits.wait(0.1):
            break
    answers = operator.healthy(), operator.ready()
    stop.set()
    thread.join(60)

    assert ended == [True]
    assert answers[0][0] is True
    assert answers[1][0] is False
    assert "the API server did not answer" in answers[1][1]


def a_thing(kind: str, name: str, version: str = "1", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "demo", "uid": name, "resourceVersion": version}
    return {"kind": kind, "metadata": {**metadata, "labels": {"modelyard.dev/model": "digits"}}, **fields}


def test_changes_of_children_are_taken_in_together_unless_a_candidate_is_compared() -> None:
    operator, digits = an_operator(), Key("demo", "digits")
    child = a_thing("Service", "digits-1-predictor")
    operator.cache.put(a_thing("Model", "digits"))
    operator.changed(child, False)
    assert operator.queue.knows(digits)
    assert operator.queue.depth() == 0

    operator.changed(a_thing("Model", "digits"), False)
    assert operator.queue.take(0.0) == digits
    operator.queue.done(digits)

    compared = {"phase": "Splitting", "stable": "digits-1", "candidate": "digits-2"}
    operator.cache.put(a_thing("Model", "digits", "2", status={"rollout": compared}))
    operator.changed(child, False)
    assert operator.queue.take(0.0) == digits


def test_other_ready_holders_wake_every_model_that_may_rest_be_it_at_rest_or_not() -> None:
    """One that found no holder when the operator began has no `status.idle`, and nothing else would wake it."""
    operator = an_operator()
    resting = {"scaling": {"minReplicas": 0}}
    for name, spec, status in (
        ("never", {"scaling": {"minReplicas": 1}}, {}),
        ("plain", {}, {}),
        ("may", resting, {}),
        ("was", {}, {"idle": {"state": "Waking"}}),
    ):
        operator.cache.put(a_thing("Model", name, spec=spec, status=status))
    operator._held(None)
    assert [key.name for _ in range(2) if (key := operator.queue.take(0.0))] == ["may", "was"]
    assert operator.queue.take(0.0) is None
