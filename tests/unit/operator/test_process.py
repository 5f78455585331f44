"""Before there is anything to watch, the process waits, says for what, and ends when asked."""

import threading

from kubernetes.client import Configuration

from modelyard.clients.store import S3Store
from modelyard.operator.process import Library, Operator
from modelyard.registry.bucket import BucketRegistry
from modelyard.settings import OperatorSettings, Settings, StoreSettings


def test_without_an_api_server_it_is_healthy_not_ready_and_ends_when_asked() -> None:
    access = Configuration()
    access.host = "http://127.0.0.1:1"
    store = S3Store(StoreSettings(endpoint="http://127.0.0.1:1"))
    settings = Settings.model_construct(operator=OperatorSettings(metrics_port=0))
    operator = Operator(settings, access, Library(BucketRegistry(store), store))
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
