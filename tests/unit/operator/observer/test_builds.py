"""Whether a build is there, and what its failed Job said."""

import json
from typing import Any

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Failure
from modelyard.core.storage.keys import build_report, build_warmup
from modelyard.errors import CorruptEntry, Unreachable
from modelyard.operator.observer.builds import BuildObserver
from tests.support.store import StoreServer, store, store_server

__all__ = ["store", "store_server"]
DIGEST = "sha256:" + "a" * 64
STARTED, ENDED = "2026-01-01T00:00:00Z", "2026-01-01T00:00:42Z"


class Pods:
    """The pods of a build, as the API server lists them."""

    def __init__(self, *pods: dict[str, Any], away: bool = False) -> None:
        self.pods, self.away, self.asked = pods, away, 0

    def items(self, kind: str, namespace: str = "", selector: str = "") -> list[dict[str, Any]]:
        self.asked += 1
        if self.away:
            raise Unreachable("no answer")
        return list(self.pods)


def pod(message: str, exit_code: int = 2, created: str = STARTED, owner: str = "job-1") -> dict[str, Any]:
    terminated = {"exitCode": exit_code, "message": message}
    return {
        "metadata": {"name": "p", "creationTimestamp": created, "ownerReferences": [{"uid": owner}]},
        "status": {"containerStatuses": [{"name": "build", "state": {"terminated": terminated}}]},
    }


def job(how: str = "", uid: str = "job-1", message: str = "Job has reached the specified backoff limit") -> Any:
    conditions = [{"type": how, "status": "True", "message": message, "lastTransitionTime": ENDED}] if how else []
    metadata = {"name": "build-aaaa", "namespace": "modelyard-system", "uid": uid, "labels": {}}
    return {"kind": "Job", "metadata": metadata, "status": {"startTime": STARTED, "conditions": conditions}}


def words(reason: str, message: str) -> str:
    return json.dumps({"reason": reason, "message": message})


def test_a_build_is_there_when_its_report_is_and_then_for_good(store: S3Store, store_server: StoreServer) -> None:
    builds = BuildObserver(store, Pods())
    assert builds.built(DIGEST) is False
    store.put(build_report(DIGEST), b"{}")
    assert builds.built(DIGEST) is True

    store._client.delete_object(Bucket=store._bucket, Key=build_report(DIGEST))
    assert builds.built(DIGEST) is True


def test_a_store_that_is_away_leaves_it_open(store_server: StoreServer) -> None:
    away = store_server.settings().model_copy(update={"endpoint": "http://127.0.0.1:1"})
    found = BuildObserver(S3Store(away), Pods()).built(DIGEST)

    assert isinstance(found, Failure)
    assert (found.reason, found.retry) == ("Unreachable", True)


def test_the_warm_up_request_lies_beside_the_artifact(store: S3Store) -> None:
    builds = BuildObserver(store, Pods())
    with pytest.raises(CorruptEntry, match="build the entry again"):
        builds.warmup_request(DIGEST)
    store.put(build_warmup(DIGEST), b'{"inputs": []}')

    assert builds.warmup_request(DIGEST) == b'{"inputs": []}'


@pytest.mark.parametrize(("exit_code", "retry"), [(2, False), (1, True)])
def test_a_failed_job_speaks_with_the_builders_words(store: S3Store, exit_code: int, retry: bool) -> None:
    pods = Pods(
        pod(words("Old", "old words"), 1, created=STARTED),
        pod(words("InvalidEntry", "Mend the file."), exit_code, created=ENDED),
        pod(words("Other", "somebody else's"), created=ENDED, owner="job-2"),
    )

    assert BuildObserver(store, pods).failure(job("Failed")) == Failure("InvalidEntry", "Mend the file.", retry=retry)


@pytest.mark.parametrize("pods", [Pods(), Pods(pod("Killed")), Pods(pod("[]")), Pods(away=True)])
def test_a_job_that_left_no_words_says_where_to_look(store: S3Store, pods: Pods) -> None:
    found = BuildObserver(store, pods).failure(job("Failed"))

    assert found is not None
    assert (found.reason, found.retry) == ("BuildFailed", True)
    assert "backoff limit" in found.message
    assert "kubectl -n modelyard-system logs job/build-aaaa" in found.message


def test_a_failure_is_read_once(store: S3Store) -> None:
    pods = Pods(pod(words("InvalidEntry", "Mend the file.")))
    builds = BuildObserver(store, pods)
    for _ in range(3):
        builds.failure(job("Failed"))

    assert pods.asked == 1


@pytest.mark.parametrize("found", [None, job(), job("Complete")])
def test_a_job_that_did_not_fail_has_no_failure(store: S3Store, found: Any) -> None:
    assert BuildObserver(store, Pods()).failure(found) is None


def test_a_finished_job_is_counted_once_with_its_duration(store: S3Store) -> None:
    builds = BuildObserver(store, Pods())

    assert builds.finished(job()) is None
    assert builds.finished(job("Complete")) == ("succeeded", 42.0)
    assert builds.finished(job("Complete")) is None
    assert builds.finished(job("Failed", uid="job-2")) == ("failed", 42.0)
