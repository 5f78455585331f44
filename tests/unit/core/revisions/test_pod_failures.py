"""Causes are read from the pods themselves and said with a remedy."""

import json
from typing import Any

import pytest

from modelyard.core.revisions.pod_failures import cause_of, crashed_before, lost_readiness, of_job, pod_failure
from modelyard.core.snapshot import Failure
from tests.support.objects.faults import (
    FAULTS,
    PORT_TAKEN_LOG,
    TRUNCATED_MODEL_LOG,
    UNKNOWN_BACKEND_LOG,
    crashed,
    restarted,
    unschedulable,
    waiting,
)

FORBIDDEN = (
    "Traceback (most recent call last):\n"
    "botocore.exceptions.ClientError: An error occurred (403) when calling the ListObjectsV2 operation: Forbidden\n"
)


def a_pod(name: str = "pod", **status: Any) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name}, "status": status}


def failure_with(log: str = "", **status: Any) -> Failure:
    cause = pod_failure([a_pod(**status)], {"pod": log} if log else {})
    assert cause is not None
    return cause


@pytest.mark.parametrize(
    "status",
    [
        {},
        FAULTS[""],
        FAULTS["slow"],
        {"conditions": [{"type": "Ready", "status": "False"}]},
        {"conditions": [{"type": "PodScheduled", "status": "True"}]},
        {"containerStatuses": [waiting("ContainerCreating")]},
        {"initContainerStatuses": [{"name": "init", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]},
        {
            "containerStatuses": [
                {"name": "c", "ready": True, "restartCount": 3, "lastState": {"terminated": {"exitCode": 1}}}
            ]
        },
        {"containerStatuses": [{"name": "c", "ready": False, "restartCount": 1, "lastState": {}}]},
    ],
    ids=["new", "ready", "starting", "not ready", "scheduled", "creating", "initialized", "recovered", "restarted"],
)
def test_pods_that_merely_start_are_no_trouble(status: dict[str, Any]) -> None:
    assert pod_failure([a_pod(**status)], {}) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (restarted(139), "ServerCrashed"),
        (restarted(137), "ServerCrashed"),
        (restarted(137, reason="OOMKilled"), "OutOfMemory"),
        (restarted(1, message="error: creating server"), "ServerCrashed"),
    ],
)
def test_a_crash_is_remembered_by_the_restart_that_followed_it(status: dict[str, Any], reason: str) -> None:
    pods = [a_pod("other", **FAULTS[""]), a_pod("one", containerStatuses=[status])]

    cause = crashed_before(pods, {})

    assert pod_failure(pods, {}) is None
    assert cause is not None
    assert cause.reason == reason


@pytest.mark.parametrize("code", [0, 143])
def test_a_server_that_was_told_to_end_did_not_crash(code: int) -> None:
    assert crashed_before([a_pod(containerStatuses=[restarted(code)])], {}) is None


def test_the_crash_of_a_pod_that_leaves_is_forgotten() -> None:
    pod = a_pod(containerStatuses=[restarted(139)])
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert crashed_before([pod], {}) is None


def unready(started: str, changed: str) -> dict[str, Any]:
    """A server that runs since `started`, in a pod that is not ready since `changed`."""
    running = {"name": "kserve-container", "ready": False, "state": {"running": {"startedAt": started}}}
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": changed}
    return {"containerStatuses": [running], "conditions": [condition]}


@pytest.mark.parametrize(
    ("status", "lost"),
    [
        (FAULTS["slow"], True),
        (FAULTS[""], False),
        ({"containerStatuses": [waiting("ContainerCreating")]}, False),
        ({"conditions": [unschedulable()]}, False),
        ({"phase": "Failed", "reason": "Evicted"}, False),
        (unready("2027-01-15T07:59:30Z", "2027-01-15T07:59:28Z"), False),
        (unready("2027-01-15T07:59:30Z", "2027-01-15T07:59:40Z"), True),
        (unready("2027-01-15T07:49:30Z", "2027-01-15T07:49:28Z"), True),
    ],
    ids=["unready", "ready", "creating", "unschedulable", "evicted", "starting", "no longer ready", "never ready"],
)
def test_only_a_server_that_runs_can_lose_its_readiness(status: dict[str, Any], lost: bool) -> None:
    assert lost_readiness(a_pod(**status), 1_800_000_000.0, 600.0) is lost


def test_a_pod_that_ends_is_no_trouble() -> None:
    pod = a_pod(containerStatuses=[crashed(143)])
    pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"

    assert pod_failure([pod], {}) is None


def test_the_first_pod_in_trouble_is_told_of() -> None:
    cause = pod_failure([a_pod("well", **FAULTS[""]), a_pod("ill", **FAULTS["image"])], {})

    assert cause is not None
    assert cause.reason == "ImageMissing"


def test_a_pod_no_node_can_take_names_the_shortage() -> None:
    cause = failure_with(conditions=[unschedulable()])

    assert (cause.reason, cause.retry) == ("Unschedulable", True)
    assert "1 Insufficient memory; lower spec.serving.resources.requests.memory or add a node" in cause.message


@pytest.mark.parametrize("reason", ["ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"])
def test_an_image_that_cannot_be_pulled_is_named(reason: str) -> None:
    cause = failure_with(containerStatuses=[waiting(reason)])

    assert (cause.reason, cause.retry) == ("ImageMissing", True)
    assert f"docker.io/modelyard/triton-cpu:0.1.0 cannot be pulled ({reason})" in cause.message


def test_a_container_that_cannot_be_made_is_quoted() -> None:
    status = waiting("CreateContainerConfigError", message='secret "digits--store" not found')

    cause = failure_with(containerStatuses=[status])

    assert (cause.reason, cause.retry) == ("PodInvalid", True)
    assert 'secret "digits--store" not found.' in cause.message


def test_a_server_out_of_memory_says_which_limit_to_raise() -> None:
    cause = failure_with(containerStatuses=[crashed(137, "OOMKilled")])

    assert (cause.reason, cause.retry) == ("OutOfMemory", False)
    assert "spec.serving.resources.limits.memory" in cause.message


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        (
            TRUNCATED_MODEL_LOG,
            "onnxruntime cannot load model.onnx: [ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Protobuf parsing failed.",
        ),
        (
            UNKNOWN_BACKEND_LOG,
            "Invalid argument: unable to find backend library for backend 'nosuch', "
            "try specifying runtime on the model configuration.",
        ),
        (PORT_TAKEN_LOG, "failed to start HTTP service: Unavailable - Socket '0.0.0.0:8080' already in use"),
    ],
    ids=["truncated model", "unknown backend", "port taken"],
)
def test_the_cause_is_the_one_line_of_tritons_log_that_tells_it(log: str, cause: str) -> None:
    assert cause_of(log) == cause


@pytest.mark.parametrize("log", ["", "I1121 10:16:57.368601 1 server.cc:1] fine", FORBIDDEN])
def test_a_log_without_an_error_of_triton_tells_no_cause(log: str) -> None:
    assert cause_of(log) is None


@pytest.mark.parametrize(
    "status",
    [
        crashed(),
        {"name": "kserve-container", "ready": False, "state": {"terminated": {"exitCode": 1}}},
        {
            "name": "kserve-container",
            "restartCount": 1,
            "state": {"running": {}},
            "lastState": {"terminated": {"exitCode": 1}},
        },
    ],
    ids=["in its crash loop", "just ended", "running again"],
)
def test_a_server_that_ends_badly_gives_exit_code_cause_and_remedy(status: dict[str, Any]) -> None:
    cause = failure_with(TRUNCATED_MODEL_LOG, containerStatuses=[status])

    assert (cause.reason, cause.retry) == ("ServerCrashed", False)
    assert cause.message.startswith("The server ended with exit code 1: onnxruntime cannot load model.onnx")
    assert "modelyard serve" in cause.message


@pytest.mark.parametrize("reason", ["SignatureMissing", "SignatureInvalid"])
def test_a_server_that_refused_its_build_says_so_in_its_own_words(reason: str) -> None:
    words = json.dumps({"reason": reason, "message": "digits/config.pbtxt is not what it was."})

    cause = failure_with(containerStatuses=[crashed(78, message=words)])

    assert (cause.reason, cause.retry, cause.message) == (reason, False, "digits/config.pbtxt is not what it was.")
    assert pod_failure([a_pod(containerStatuses=[crashed(78, message=words)])], {"pod": None}) == cause


@pytest.mark.parametrize("words", ['{"reason": "Other"}', "[1]", "12"])
def test_other_last_words_in_json_are_quoted_as_they_are(words: str) -> None:
    assert f"exit code 1: {words};" in failure_with(containerStatuses=[crashed(message=words)]).message


def test_without_a_log_the_last_line_of_the_termination_message_is_quoted() -> None:
    assert (
        "exit code 1: the end;" in failure_with(containerStatuses=[crashed(message="the beginning\nthe end\n")]).message
    )


def test_a_server_that_left_nothing_is_said_to_have_left_nothing() -> None:
    assert "exit code 139: it left no message;" in failure_with(containerStatuses=[crashed(139)]).message


def test_a_download_the_store_refuses_says_what_to_check() -> None:
    cause = failure_with(initContainerStatuses=[crashed(message=FORBIDDEN, name="storage-initializer")])

    assert (cause.reason, cause.retry) == ("DownloadFailed", True)
    assert "An error occurred (403)" in cause.message
    assert "bucket and credentials" in cause.message


LOCKED = (
    "terminate called after throwing an instance of 'boost::interprocess::lock_exception'\n"
    "  what():  boost::interprocess::lock_exception\n"
)


@pytest.mark.parametrize(
    ("restarts", "reason", "retry"), [(0, "SharedMemoryFailed", True), (3, "ServerCrashed", False)]
)
def test_what_its_node_did_to_a_server_is_forgiven_for_three_restarts(restarts: int, reason: str, retry: bool) -> None:
    ended = {"exitCode": 134, "reason": "Error", "message": LOCKED}
    status = {"name": "kserve-container", "restartCount": restarts, "ready": False, "state": {"terminated": ended}}

    met = failure_with(containerStatuses=[status])

    assert (met.reason, met.retry) == (reason, retry)
    assert "lock_exception" in met.message


@pytest.mark.parametrize("code", [139, 134, 1])
def test_a_server_that_crashes_by_itself_is_refused_at_once(code: int) -> None:
    ended = {"exitCode": code, "reason": "Error", "message": "no such operator"}

    assert not failure_with(containerStatuses=[{"name": "kserve-container", "state": {"terminated": ended}}]).retry


def test_the_pods_of_a_job_are_spoken_of_as_such() -> None:
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    gone = {**a_pod("gone", containerStatuses=[{"name": "build", "state": killed}])}
    gone["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    refused = a_pod("refused", conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}])

    assert of_job([a_pod("p", containerStatuses=[{"name": "build", "state": killed}])], {}).startswith(
        "container build of pod p ran out of memory; give it more memory (in the cluster config.build.memoryLimit)"
    )
    assert of_job([gone], {}) == ""
    assert "No node can take pod refused" in of_job([refused], {})
