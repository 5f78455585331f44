"""How a program ended, what that means, and whose fault it is: the one table of causes.

The programs are those a build, an optimization, an export or a check starts (Triton, the confined process that tries
a model, a pass, a converter, the trainer), and the containers of their pods. The rows are read from the top and the
first that fits is the cause, so what a program said comes before the signal that ended it.

    surroundings   the machine's: tried again by the builder, then by the operator with growing pauses; never final
    model          the model's own: the same model gives the same again, so a person has to mend it

What nothing explains is the surroundings' fault too: only what a model is shown to cause is final.
"""

import re
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from modelyard.errors import HostFailure, ModelyardError, UnsupportedModel

TRY_LATER = 75
"""Exit code of a verb that the machine failed: EX_TEMPFAIL of sysexits.h, "temporary failure, try again later"."""
OUTSIDE = frozenset({"Unreachable", "Refused", "Throttled", "Conflict"})
"""Reasons of failures of the world outside, which pass by themselves."""
_SHELL = 128
_MOST = 600


class Fault(StrEnum):
    """Who has to change before another try can end better."""

    SURROUNDINGS = "surroundings"
    MODEL = "model"


class End(NamedTuple):
    """How a program ended.

    `code` is its exit code, negative or 128 more for a signal, None when that is not known; `words` are the errors it
    named; `late` says that it was ended because it took too long.
    """

    code: int | None = None
    words: str = ""
    late: bool = False

    @property
    def signal(self) -> int:
        """The signal that ended it; 0 for none."""
        code = self.code or 0
        number = -code if code < 0 else code - _SHELL
        return number if 0 < number < signal.NSIG else 0


@dataclass(frozen=True)
class FailureCause:
    """A row of the table: what it is recognized by, the reason word, and what is said of it.

    `what` follows the name of the program; `remedy` says what a person can do about it.
    """

    reason: str
    fault: Fault
    what: str
    remedy: str = ""
    words: str = ""
    signals: tuple[int, ...] = ()
    late: bool = False

    def fits(self, end: End) -> bool:
        """Whether a program that ended like that ended for this cause; a row without words, signals and `late` fits
        all."""
        if not self.words and not self.signals and not self.late:
            return True
        named = bool(self.words) and re.search(self.words, end.words) is not None
        return named or end.signal in self.signals or (self.late and end.late)

    @property
    def passes(self) -> bool:
        """Whether another try may end better although nobody changes the model."""
        return self.fault is Fault.SURROUNDINGS


_HOST, _MODEL = Fault.SURROUNDINGS, Fault.MODEL
_MEMORY = "give it more memory (in the cluster config.build.memoryLimit), or the machine less to do"
TABLE = (
    FailureCause(
        "DiskFull", _HOST, "found the disk full", "free space where TMPDIR is, or on the node",
        words=r"(?i)no space left on device|ENOSPC|disk quota exceeded|\[Errno (28|122)\]",
    ),
    FailureCause(
        "SharedMemoryFailed", _HOST, "failed at shared memory or a lock in it", "see that /dev/shm has room",
        words=r"boost::interprocess|lock_exception|/dev/shm|shm_open|shared memory region",
        signals=(signal.SIGBUS,),
    ),
    FailureCause(
        "OutOfMemory", _HOST, "ran out of memory", _MEMORY,
        words=r"MemoryError|bad_alloc|OOMKilled|\[Errno 12\]|(?i:cannot allocate memory(?! for incompatible)|"
        r"out of memory|failed to allocate|unable to allocate)",
        signals=(signal.SIGKILL,),
    ),
    FailureCause(
        "PortTaken", _HOST, "found its port taken", "end what listens there",
        words=r"(?i)address already in use|socket '[^']*' already in use|\[Errno 98\]",
    ),
    FailureCause(
        "ConnectionFailed", _HOST, "could not reach whom it talks to", "see what is down",
        words=r"(?i)connection refused|connection reset|connection aborted|network is unreachable|"
        r"temporary failure in name resolution|name or service not known|server disconnected",
    ),
    FailureCause(
        "LimitReached", _HOST, "was given no more processes, threads or files", "raise the limits (ulimit -u, -n)",
        words=r"(?i)resource temporarily unavailable|can't start new thread|pthread_create|too many open files",
    ),
    FailureCause(
        "DiskFailed", _HOST, "could not read or write the disk", "look at the disk of that machine",
        words=r"(?i)input/output error|stale file handle|read-only file system|\[Errno (5|30|116)\]",
    ),
    FailureCause(
        "ProgramBroken", _HOST, "is not installed as it should be", "install it again",
        words=r"error while loading shared libraries|cannot open shared object file",
    ),
    FailureCause(
        "HelperDied", _HOST, "lost the process that runs the model", _MEMORY,
        words=r"(?i)stub process .*not healthy|waiting for (the |a )?stub",
    ),
    FailureCause(
        "Evicted", _HOST, "had to leave its node", "give the nodes more room, or wait",
        words=r"\b(Evicted|DisruptionTarget|Preempted|NodeShutdown|NodeLost|TerminationByKubelet)\b|DiskPressure|"
        r"MemoryPressure|PIDPressure",
    ),
    FailureCause(
        "ImageMissing", _HOST, "has an image that cannot be pulled", "check its name and the node's access to it",
        words=r"\b(ImagePullBackOff|ErrImagePull|InvalidImageName|ErrImageNeverPull)\b",
    ),
    FailureCause(
        "Terminated", _HOST, "was told to end", "see who ends it",
        signals=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP),
    ),
    FailureCause(
        "Crashed", _HOST, "crashed", "if it always does, the file may be damaged: export the model again",
        words=r"(?m)^Signal \(\d+\) received|Segmentation fault|core dumped",
        signals=tuple(range(1, signal.NSIG)),
    ),
    FailureCause(
        "TimedOut", _HOST, "took too long", "give it more time or the machine less to do",
        words=r"\b(DeadlineExceeded|TimeoutError)\b|(?i:\btimed out\b)", late=True,
    ),
    FailureCause(
        "UnsupportedOperator", _MODEL, "does not know an operation of the model", "export it with another opset",
        words=r"NOT_IMPLEMENTED|No Op registered|(?i:unsupported op|is not a registered function|"
        r"operator \S+ is not supported)",
    ),
    FailureCause(
        "WrongShape", _MODEL, "refuses the model's shapes", "correct its inputs and outputs, or its config.pbtxt",
        words=r"INVALID_ARGUMENT|(?i:invalid dimensions|unexpected shape|shape mismatch|expected shape)",
    ),
    FailureCause("UnsupportedModel", _MODEL, "refuses the model", "export it again", words=r"\S"),
    FailureCause("Unexplained", _HOST, "ended without a reason", "look at its log"),
)  # fmt: skip
"""Read from the top; the last row fits everything."""
REASONS = frozenset(cause.reason for cause in TABLE if cause.passes)
"""The reason words of what is the surroundings' fault."""


def cause_of(end: End) -> FailureCause:
    """The first row of `TABLE` that fits how a program ended; the last row fits everything, so there is always one."""
    return next(cause for cause in TABLE if cause.fits(end))


def host_cause(words: str) -> FailureCause | None:
    """The first row that fits an error text, when that is the surroundings' fault; None otherwise or for empty text."""
    if not words.strip():
        return None
    cause = cause_of(End(words=words))
    return cause if cause.passes else None


def cause_of_exception(error: BaseException) -> FailureCause | None:
    """The same as `host_cause`, read from the type and the text of an exception of ours or of a library."""
    return host_cause(_named(error))


def host_failure(error: BaseException) -> HostFailure | None:
    """What the machine did to our own process: the HostFailure of a MemoryError or an OSError that `TABLE` explains.

    A HostFailure is returned as it is; every other exception gives None.
    """
    if isinstance(error, HostFailure):
        return error
    cause = cause_of_exception(error) if isinstance(error, MemoryError | OSError) else None
    return None if cause is None else HostFailure(cause.reason, sentence(cause, "Modelyard", str(error)))


def blamed(error: BaseException, message: str) -> ModelyardError:
    """The error to raise when a runtime refuses a model; `message` is the whole sentence when that is the model's
    fault.

    Returns HostFailure when the surroundings caused `error`, else UnsupportedModel.
    """
    return blamed_for(_named(error), message, "it")


def blamed_for(words: str, message: str, program: str) -> ModelyardError:
    """The same as `blamed`, for the error text that `program` answered with."""
    cause = host_cause(words)
    return UnsupportedModel(message) if cause is None else HostFailure(cause.reason, sentence(cause, program, message))


def failure(program: str, end: End) -> ModelyardError:
    """The error to raise when `program`, which serves or converts a model, ended like that.

    Returns HostFailure when the surroundings caused it, else UnsupportedModel.
    """
    cause = cause_of(end)
    if cause.passes:
        return HostFailure(cause.reason, sentence(cause, program, end.words, end.signal))
    return UnsupportedModel(f"{program} cannot serve this model, it {cause.what}: {_short(end.words)}; {cause.remedy}.")


def sentence(cause: FailureCause, program: str, words: str = "", number: int = 0) -> str:
    """One sentence: the program, what happened to it, the signal `number` (0 for none), its words, and the remedy.

    `words` are cut to 600 characters.
    """
    by = f" ({signal.Signals(number).name})" if number in list(signal.Signals) else ""
    met = f": {_short(words)}" if words.strip() else ""
    return f"{program} {cause.what}{by}{met}; {cause.remedy}."


def pod_cause(pod: Mapping[str, Any]) -> tuple[str, FailureCause] | None:
    """The name of the container of a pod of ours that ended badly, and why as far as Kubernetes tells; else None.

    "all" stands for a pod that ended as a whole before it had containers. An exit code of the program's own is no
    cause: what it means is in the words it left.
    """
    status = pod.get("status", {})
    statuses = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    words = " ".join((str(status.get("reason", "")), *_disruptions(status.get("conditions", ()))))
    gone = host_cause(words)
    if gone is not None:
        return statuses[0]["name"] if statuses else "all", gone
    for container in statuses:
        state = container.get("state", {})
        ended, waiting = state.get("terminated") or {}, state.get("waiting") or {}
        cause = _container_cause(ended, str(waiting.get("reason", "")))
        if cause is not None:
            return container["name"], cause
    return None


def _container_cause(ended: Mapping[str, Any], waiting: str) -> FailureCause | None:
    end = End(ended.get("exitCode"))
    if ended.get("reason") == "OOMKilled" or waiting:
        return host_cause(waiting or "OOMKilled")
    return cause_of(end) if end.signal else None


def _disruptions(conditions: Iterable[Mapping[str, Any]]) -> list[str]:
    return [
        f"{condition['type']} {condition.get('reason', '')}"
        for condition in conditions
        if condition["type"] == "DisruptionTarget" and condition["status"] == "True"
    ]


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _short(words: str) -> str:
    return " ".join(words.split())[:_MOST].rstrip(".")
