"""Whether a build is there, and what its failed Job said."""

import json
from typing import Any

import pytest

from modelyard.clients.store import S3Store
from modelyard.core.snapshot import Failure
from modelyard.core.storage.keys import build_report, build_warmup
from modelyard.errors import CorruptEntry, Unreachable
from modelyard.operator.observer.builds import ABSENT_SECONDS, BuildObserver
from modelyard.operator.observer.optimizations import SIGNED_SECONDS
from tests.support.machine.fake_clock import Clock
from tests.support.operator.answers import DIGITS, PollingByHand, Settled
from tests.support.servers.store import StoreServer

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


def observed(store: S3Store, pods: Pods, clock: Clock | None = None) -> Settled:
    """Builds as they are once store and API server have answered."""
    polling = PollingByHand(clock)
    return Settled(BuildObserver(store, pods, polling), polling)


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
    clock = Clock()
    builds = observed(store, Pods(), clock)
    assert builds.built(DIGEST, None) is False
    store.put(build_report(DIGEST), b"{}")
    clock.pass_by(ABSENT_SECONDS)
    assert builds.built(DIGEST, None) is True

    store._client.delete_object(Bucket=store._bucket, Key=build_report(DIGEST))
    clock.pass_by(1_000_000)
    assert builds.built(DIGEST, None) is True


def test_a_signed_build_that_somebody_deletes_is_missed(store: S3Store) -> None:
    polling = PollingByHand()
    builds = BuildObserver(store, Pods(), polling)
    store.put(build_report(DIGEST), b"{}")

    def built() -> Any:
        return polling.settled(lambda: builds.built(DIGITS, DIGEST, None, signed=True))

    assert built() is True
    store.delete(build_report(DIGEST))
    polling.clock.pass_by(SIGNED_SECONDS)
    built()

    assert built() is False


def test_a_build_that_was_there_is_until_the_store_has_answered(store: S3Store) -> None:
    polling = PollingByHand()
    builds = BuildObserver(store, Pods(), polling)

    assert builds.built(DIGITS, DIGEST, None, was=True) is True
    polling.answer()
    assert polling.woken == [(DIGITS, 0.0)], "it is not there any more"
    assert builds.built(DIGITS, DIGEST, None, was=True) is False


def test_while_its_job_runs_the_store_is_not_asked_again(store: S3Store) -> None:
    polling = PollingByHand()
    builds = BuildObserver(store, Pods(), polling)
    assert polling.settled(lambda: builds.built(DIGITS, DIGEST, None)) is False
    polling.clock.pass_by(ABSENT_SECONDS)

    assert builds.built(DIGITS, DIGEST, job()) is False
    assert polling.answer() == 0
    builds.built(DIGITS, DIGEST, job("Complete"))
    assert polling.answer() == 1


def test_the_end_of_its_job_is_a_reason_to_ask_again(store: S3Store) -> None:
    builds = observed(store, Pods())
    assert builds.built(DIGEST, job()) is False
    store.put(build_report(DIGEST), b"{}")

    assert builds.built(DIGEST, job()) is False, "not before some seconds are over"
    assert builds.built(DIGEST, job("Complete")) is True


def test_what_was_not_there_is_not_taken_for_absent_later(store: S3Store) -> None:
    clock = Clock()
    polling = PollingByHand(clock)
    builds = BuildObserver(store, Pods(), polling)
    assert polling.settled(lambda: builds.built(DIGITS, DIGEST, None)) is False
    clock.pass_by(ABSENT_SECONDS)
    known = builds.built(DIGITS, DIGEST, None)

    assert isinstance(known, Failure)
    assert (known.pending, known.retry) == (True, True)


def test_a_store_that_is_away_leaves_it_open(store_server: StoreServer) -> None:
    away = store_server.settings().model_copy(update={"endpoint": "http://127.0.0.1:1"})
    found = observed(S3Store(away), Pods()).built(DIGEST, None)

    assert isinstance(found, Failure)
    assert (found.reason, found.retry) == ("Unreachable", True)


def test_the_warm_up_request_lies_beside_the_artifact(store: S3Store) -> None:
    builds = observed(store, Pods()).observer
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

    assert observed(store, pods).failure(job("Failed")) == Failure("InvalidEntry", "Mend the file.", retry=retry)


@pytest.mark.parametrize("pods", [Pods(), Pods(pod("Killed")), Pods(pod("[]")), Pods(away=True)])
def test_a_job_that_left_no_words_says_where_to_look(store: S3Store, pods: Pods) -> None:
    found = observed(store, pods).failure(job("Failed"))

    assert found is not None
    assert (found.reason, found.retry) == ("BuildFailed", True)
    assert "backoff limit" in found.message
    assert "kubectl -n modelyard-system logs job/build-aaaa" in found.message


def test_a_failure_is_read_once(store: S3Store) -> None:
    pods = Pods(pod(words("InvalidEntry", "Mend the file.")))
    builds = observed(store, pods)
    for _ in range(3):
        builds.failure(job("Failed"))

    assert pods.asked == 1


@pytest.mark.parametrize("optimized", [False, True])
def test_a_reason_that_could_not_be_read_is_asked_for_again(store: S3Store, optimized: bool) -> None:
    pods, clock = Pods(pod(words("InvalidEntry", "Mend the file.")), away=True), Clock()
    builds = observed(store, pods, clock)

    def found() -> Failure | None:
        return builds.optimized(DIGEST, job("Failed")).failure if optimized else builds.failure(job("Failed"))

    before, pods.away = found(), False
    clock.pass_by(60)

    assert before is not None
    assert (before.reason, before.retry) == ("BuildFailed", True)
    assert found() == Failure("InvalidEntry", "Mend the file.", retry=False)


@pytest.mark.parametrize("found", [None, job(), job("Complete")])
def test_a_job_that_did_not_fail_has_no_failure(store: S3Store, found: Any) -> None:
    assert observed(store, Pods()).failure(found) is None


def test_a_finished_job_is_counted_once_with_its_duration(store: S3Store) -> None:
    builds = observed(store, Pods()).observer

    assert builds.finished(job()) is None
    assert builds.finished(job("Complete")) == ("succeeded", 42.0)
    assert builds.finished(job("Complete")) is None
    assert builds.finished(job("Failed", uid="job-2")) == ("failed", 42.0)


def spent(name: str, state: dict[str, Any], **status: Any) -> dict[str, Any]:
    """A pod of the Job that left no words, with one container in that state."""
    metadata = {"name": "p", "creationTimestamp": STARTED, "ownerReferences": [{"uid": "job-1"}]}
    return {"metadata": metadata, "status": {"containerStatuses": [{"name": name, "state": state}], **status}}


def limited(name: str, container: str = "build", deadline: int = 900) -> Any:
    """A failed Job with that name, whose container may use 2Gi."""
    failed = job("Failed")
    work = {"name": container, "resources": {"limits": {"memory": "2Gi"}}}
    template = {"spec": {"containers": [work]}}
    failed["metadata"]["name"] = name
    return {**failed, "spec": {"activeDeadlineSeconds": deadline, "template": template}}


KILLED = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}


@pytest.mark.parametrize(
    ("name", "container", "setting"),
    [
        ("build-aaaa", "build", "config.build.memoryLimit"),
        ("optimize-aaaa", "build", "config.build.optimizeMemoryLimit"),
        ("optimize-aaaa", "trainer", "config.build.trainMemoryLimit"),
    ],
)
def test_a_job_killed_for_memory_says_which_limit_to_raise(
    store: S3Store, name: str, container: str, setting: str
) -> None:
    found = observed(store, Pods(spent(container, KILLED))).failure(limited(name, container))

    assert found is not None
    assert (found.reason, found.retry) == ("OutOfMemory", True)
    assert found.message.startswith(f"container {container} of Job modelyard-system/{name} ran out of memory")
    assert f"raise {setting}, which is 2Gi now" in found.message
    assert "delete the Job to try again at once" in found.message


ENDS = {
    "evicted": (spent("build", {}, reason="Evicted"), "Evicted", "had to leave its node"),
    "without its image": (spent("build", {"waiting": {"reason": "ErrImagePull"}}), "ImageMissing", "cannot be pulled"),
    "crashed": (spent("build", {"terminated": {"exitCode": 139, "reason": "Error"}}), "Crashed", "crashed"),
}


@pytest.mark.parametrize(("pod", "reason", "said"), ENDS.values(), ids=ENDS)
def test_kubernetes_words_stand_in_for_the_builders(store: S3Store, pod: Any, reason: str, said: str) -> None:
    found = observed(store, Pods(pod)).failure(limited("build-aaaa"))

    assert found is not None
    assert (found.reason, found.retry) == (reason, True)
    assert said in found.message


def test_a_job_that_was_too_late_says_how_to_give_it_more_time(store: S3Store) -> None:
    late = limited("build-aaaa", deadline=30)
    late["status"]["conditions"][0]["reason"] = "DeadlineExceeded"

    found = observed(store, Pods()).failure(late)

    assert found is not None
    assert (found.reason, found.retry) == ("TimedOut", True)
    assert "it had 30 s, pulling its image included: raise config.build.timeoutSeconds" in found.message


def test_what_the_machine_did_to_the_builder_is_tried_again(store: S3Store) -> None:
    pods = Pods(pod(words("Crashed", "tried 3 times: Triton crashed (SIGSEGV)."), 75))

    found = observed(store, pods).failure(job("Failed"))

    assert found == Failure("Crashed", "tried 3 times: Triton crashed (SIGSEGV).", retry=True)
