"""Which reasons mean harm: the type of the Event that tells of each.

One table for every reason there is. An Event is a Warning when users get worse answers than promised, or when somebody
or something has to change before it goes on; it is Normal while the work is under way, or where a person wanted it so.
Words of others, such as a Job's that a newer builder gives, are not in it and count as harm.
"""

from collections.abc import Mapping
from typing import Literal

from modelyard.api.rollout_status import Outcome, Phase

from .failure_causes import TABLE

EventType = Literal["Normal", "Warning"]

_NORMAL = (
    "Accepted Answered Answering AsReference Asking AutoscalerPaused AutoscalerUnknown AutoscalingOff Building Built "
    "Calling Done EntryUnresolved FewLabels FixedReplicas Found Joining LearningReference NoLabels NoRevision NoRows "
    "NotCalledFor NotEvaluated NotSynced Optimizing Passed PauseStep Paused PerformanceKept PromoteCommanded Published "
    "Publishing Replaced Reported RetrainingCalled RetrainingPaused RetrainingPushed RetrainingStarted "
    "RetrainingStopped Reverted RolloutCommand RolloutUnderWay Scaled ScaledByCpu ScaledByOthers ScaledByRequests "
    "ScaledToZero Serving SpecChanged Starting Superseded SwitchedOff TooSoon Training WaitingForSlot Waking"
)
_WARNING = (
    "AbortCommanded AliasGone AskingFailed AutoscalerFails AutoscalerRefused BudgetTooSmall BuildFailed CheckFailed "
    "ClientErrorsGateFailed CodeNotTrusted CommandRefused Conflict ContractChanged CorruptEntry CorruptReport "
    "DataBroken DeadlineExceeded DownloadFailed DriftDetected EntryExists ErrorsGateFailed EvaluationStopped "
    "FeedbackGateFailed HealthGateFailed HostTaken Inconclusive InsufficientCapacity InvalidEntry InvalidInput "
    "InvalidKey InvalidModel InvalidSettings JobSuspended LatencyGateFailed LoadTestFailed NameTaken NamespaceTooLong "
    "NoAutoscaler NoMetrics NoRecorder NoReference NoReplicaReady NoTraffic NotAccepted NotOffered NotReady "
    "ObjectRefused OutputsDiffer OverBudget PerformanceDecayed PodInvalid PodsRefused Refused RegistryUnreachable "
    "ReplayFailed ReplicaMissing RequestsFail RetrainingFailed RetrainingRefused SampleRatioMismatch ServerCrashed "
    "SignatureInvalid SignatureMissing StableOutOfSlo StartTimedOut ThresholdTooLow Throttled TrainingOff "
    "UnknownEntry UnknownScenario Unreachable Unschedulable UnsupportedModel UnsupportedOperator VersionRefused "
    "WarmupFailed WrongShape"
)
EVENT_TYPES: Mapping[str, EventType] = {
    **dict.fromkeys((*_NORMAL.split(), *Phase, Outcome.PROMOTED), "Normal"),
    **dict.fromkeys(_WARNING.split(), "Warning"),
    **dict.fromkeys((cause.reason for cause in TABLE), "Warning"),
}


def event_type(reason: str) -> EventType:
    """The type of an Event with that reason; Warning for a word that is not in the table."""
    return EVENT_TYPES.get(reason, "Warning")


def means_harm(reason: str) -> bool:
    """Whether an Event with that reason is a Warning."""
    return event_type(reason) == "Warning"
