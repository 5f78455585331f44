"""Every row of the table: how a program ended, and whose fault that is."""

import errno
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from modelyard.core.failure_causes import (
    REASONS,
    TABLE,
    End,
    Fault,
    blamed,
    cause_of,
    failure,
    host_cause,
    host_failure,
    pod_cause,
)
from modelyard.errors import HostFailure, InvalidEntry, UnsupportedModel

NO_SPACE = os.strerror(errno.ENOSPC)
SURROUNDINGS = {
    "a disk that is full": ("DiskFull", End(1, f"failed to load 'm' version 1: {NO_SPACE}")),
    "a quota that is used up": ("DiskFull", End(1, f"OSError: [Errno 122] {os.strerror(errno.EDQUOT)}")),
    "a lock in shared memory": ("SharedMemoryFailed", End(1, "boost::interprocess::lock_exception")),
    "shared memory that cannot be had": ("SharedMemoryFailed", End(1, "Failed to initialize stub: /dev/shm/x")),
    "a full /dev/shm": ("SharedMemoryFailed", End(-signal.SIGBUS)),
    "an exception for want of memory": ("OutOfMemory", End(1, "Traceback ...\nMemoryError")),
    "C++ for want of memory": ("OutOfMemory", End(-signal.SIGABRT, "std::bad_alloc")),
    "onnxruntime for want of memory": (
        "OutOfMemory",
        End(1, "Failed to allocate memory for requested buffer of size 9"),
    ),
    "a GPU without memory": ("OutOfMemory", End(1, "CUDA error: out of memory")),
    "the kernel, for want of memory": ("OutOfMemory", End(-signal.SIGKILL)),
    "the same behind a shell": ("OutOfMemory", End(137)),
    "a port that is taken": ("PortTaken", End(1, "Socket '127.0.0.1:8000' already in use")),
    "a connection that is refused": ("ConnectionFailed", End(1, "[Errno 111] Connection refused")),
    "a name that is not known": ("ConnectionFailed", End(1, "Temporary failure in name resolution")),
    "no more processes": ("LimitReached", End(1, f"fork: {os.strerror(errno.EAGAIN)}")),
    "no more threads": ("LimitReached", End(1, "RuntimeError: can't start new thread")),
    "no more files": ("LimitReached", End(1, os.strerror(errno.EMFILE))),
    "a disk that fails": ("DiskFailed", End(1, os.strerror(errno.EIO))),
    "a library that is not there": ("ProgramBroken", End(127, "libtritonserver.so: cannot open shared object file")),
    "Triton's stub, killed alone": ("HelperDied", End(None, "Stub process 'm_0_0' is not healthy.")),
    "an eviction": ("Evicted", End(None, "Evicted")),
    "a node under pressure": ("Evicted", End(None, "The node had condition: [DiskPressure].")),
    "an image that cannot be pulled": ("ImageMissing", End(None, "ImagePullBackOff")),
    "somebody who ended it": ("Terminated", End(-signal.SIGTERM)),
    "a node that is drained": ("Terminated", End(143)),
    "a crash": ("Crashed", End(-signal.SIGSEGV)),
    "a crash behind a shell": ("Crashed", End(139)),
    "an abort with words of its own": ("Crashed", End(-signal.SIGABRT, "no such folder")),
    "a crash that Triton tells of itself": ("Crashed", End(1, "Signal (11) received.")),
    "a deadline": ("TimedOut", End(late=True)),
    "a Job's deadline": ("TimedOut", End(None, "DeadlineExceeded")),
    "nothing at all": ("Unexplained", End(1)),
}
MODEL = {
    "an operator nobody knows": ("UnsupportedOperator", End(1, "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Erff(7)")),
    "an operator of another opset": (
        "UnsupportedOperator",
        End(1, "No Op registered for NoSuchOp with domain_version"),
    ),
    "OpenVINO's word for shapes that do not fit": (
        "UnsupportedModel",
        End(1, "Check failed at edge.cpp:305: Cannot allocate memory for incompatible descriptors"),
    ),
    "wrong shapes": ("WrongShape", End(1, "INVALID_ARGUMENT : Got invalid dimensions for input: x")),
    "shapes that config.pbtxt contradicts": ("WrongShape", End(1, "model 'm', tensor 'y': unexpected shape [2]")),
    "an exception of its own": ("UnsupportedModel", End(1, "failed to load 'm' version 1: ValueError: no weights")),
}


@pytest.mark.parametrize(("reason", "end"), SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_what_the_surroundings_do_is_tried_again(reason: str, end: End) -> None:
    cause, error = cause_of(end), failure("Triton", end)

    assert (cause.reason, cause.fault) == (reason, Fault.SURROUNDINGS)
    assert isinstance(error, HostFailure)
    assert error.reason == reason
    assert str(error).startswith(f"Triton {cause.what}")
    assert str(error).endswith(f"; {cause.remedy}.")


@pytest.mark.parametrize(("reason", "end"), MODEL.values(), ids=MODEL)
def test_what_the_model_does_is_final(reason: str, end: End) -> None:
    error = failure("Triton", end)

    assert (cause_of(end).reason, cause_of(end).fault) == (reason, Fault.MODEL)
    assert isinstance(error, UnsupportedModel)
    assert end.words in str(error)
    assert host_cause(end.words) is None


def test_every_row_has_a_case_here() -> None:
    assert {reason for reason, _ in (*SURROUNDINGS.values(), *MODEL.values())} == {cause.reason for cause in TABLE}
    assert {reason for reason, _ in SURROUNDINGS.values()} == REASONS


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGKILL, signal.SIGTERM])
def test_the_sentence_names_the_signal_of_a_program_that_really_ended_by_it(number: signal.Signals) -> None:
    program = f"import os, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), {number})"
    code = subprocess.run([sys.executable, "-c", program], check=False).returncode

    assert f"({number.name})" in str(failure("Triton", End(code)))


def test_what_a_program_says_comes_before_the_signal_that_ended_it() -> None:
    assert cause_of(End(-signal.SIGABRT, f"terminate called: {NO_SPACE}")).reason == "DiskFull"


def test_a_full_disk_is_recognized_when_the_system_says_so() -> None:
    with pytest.raises(OSError, match="No space left") as full, open("/dev/full", "w") as nowhere:
        nowhere.write("x" * (1 << 20))

    met = host_failure(full.value)
    assert met is not None
    assert (met.reason, str(met)[:31]) == ("DiskFull", "Modelyard found the disk full: ")


def test_our_own_want_of_memory_is_the_machines() -> None:
    met = host_failure(MemoryError())

    assert met is not None
    assert met.reason == "OutOfMemory"


@pytest.mark.parametrize("error", [FileNotFoundError(2, "No such file"), KeyError("out of memory"), InvalidEntry("x")])
def test_other_exceptions_of_ours_are_not_the_machines(error: Exception) -> None:
    assert host_failure(error) is None


def test_a_failure_of_the_machine_stays_what_it_is() -> None:
    met = HostFailure("Crashed", "Triton crashed.")

    assert host_failure(met) is met


def test_a_runtime_that_refuses_a_model_is_believed_unless_it_lacked_something() -> None:
    refused = blamed(RuntimeError("NOT_IMPLEMENTED: NoSuchOp"), "onnxruntime cannot run it: NoSuchOp")
    starved = blamed(MemoryError("std::bad_alloc"), "onnxruntime cannot run it: std::bad_alloc")

    assert (type(refused), str(refused)) == (UnsupportedModel, "onnxruntime cannot run it: NoSuchOp")
    assert (type(starved), starved.reason) == (HostFailure, "OutOfMemory")


def a_pod(state: dict[str, Any] | None = None, **status: Any) -> dict[str, Any]:
    """A pod whose one container is in that state."""
    return {
        "metadata": {"name": "p"},
        "status": {"containerStatuses": [{"name": "build", "state": state or {}}], **status},
    }


PODS = {
    "killed by the kubelet": (a_pod({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}), "OutOfMemory"),
    "killed without a word": (a_pod({"terminated": {"exitCode": 137, "reason": "Error"}}), "OutOfMemory"),
    "crashed": (a_pod({"terminated": {"exitCode": 139, "reason": "Error"}}), "Crashed"),
    "evicted": (a_pod(reason="Evicted", message="low on disk"), "Evicted"),
    "disrupted": (
        a_pod(conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]),
        "Evicted",
    ),
    "too late": (a_pod(reason="DeadlineExceeded"), "TimedOut"),
    "without its image": (a_pod({"waiting": {"reason": "ErrImagePull"}}), "ImageMissing"),
}


@pytest.mark.parametrize(("pod", "reason"), PODS.values(), ids=PODS)
def test_kubernetes_tells_why_a_container_is_no_more(pod: dict[str, Any], reason: str) -> None:
    met = pod_cause(pod)

    assert met is not None
    assert (met[0], met[1].reason) == ("build", reason)


def test_a_pod_that_was_evicted_before_it_had_containers_is_named_as_a_whole() -> None:
    met = pod_cause({"metadata": {"name": "p"}, "status": {"reason": "Evicted"}})

    assert met is not None
    assert met[0] == "all"


@pytest.mark.parametrize(
    "pod",
    [
        a_pod({"terminated": {"exitCode": 1, "reason": "Error"}}),
        a_pod({"waiting": {"reason": "ContainerCreating"}}),
        a_pod({"running": {}}, conditions=[{"type": "DisruptionTarget", "status": "False"}]),
    ],
    ids=["an exit code of its own", "being made", "running"],
)
def test_other_pods_have_no_cause(pod: dict[str, Any]) -> None:
    assert pod_cause(pod) is None
