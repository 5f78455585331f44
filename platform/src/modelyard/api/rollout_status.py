"""`status.rollout`: where a rollout stands, why, and the evidence so far.

Only what cannot be derived again is kept, so that another operator goes on from it after a crash: the phase,
who is stable and who is the candidate, the step, and the counts of every gate.
"""

from enum import StrEnum
from typing import Any

from pydantic import Field

from .rollout import Action
from .shape import StatusShape

HISTORY = 10
HELD_TRAFFIC = 3
"""So many of the rollouts that gave their revision all the traffic stay in the history, whatever came after them."""
PAUSES = 16


class Phase(StrEnum):
    """Where a rollout stands; `modelyard.core.rollout.state_machine` has the table of transitions."""

    IDLE = "Idle"
    BUILDING = "Building"
    REPLACING = "Replacing"
    STARTING = "Starting"
    TESTING = "Testing"
    PREVIEWING = "Previewing"
    MIRRORING = "Mirroring"
    SPLITTING = "Splitting"
    ADVANCING = "Advancing"
    HOLDING = "Holding"
    BAKING = "Baking"
    ABORTING = "Aborting"


class Outcome(StrEnum):
    """How a rollout ended."""

    PROMOTED = "Promoted"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"
    REPORTED = "Reported"


class GateVerdict(StrEnum):
    """What a gate says of the candidate."""

    PASS = "Pass"  # noqa: S105
    FAIL = "Fail"
    CONTINUE = "Continue"
    HOLD = "Hold"
    NO_DATA = "NoData"
    PROVIDER_ERROR = "ProviderError"


class GateName(StrEnum):
    """The gates, as statuses, commands and metrics call them; `core/analysis/gates.py` says what each asks."""

    LATENCY = "latency"
    ERRORS = "errors"
    CLIENT_ERRORS = "clientErrors"
    HEALTH = "health"
    SAMPLE_RATIO = "sampleRatio"
    FEEDBACK = "feedback"
    LOAD_TEST = "loadTest"
    REPLAY = "replay"
    SHADOW = "shadow"


_NAMES = [*GateName]


class GateStatus(StatusShape):
    """One question about the candidate, its answer, and the numbers behind it."""

    name: str = Field(
        max_length=32,
        description=f"{', '.join(_NAMES[:-1])} or {_NAMES[-1]}.",
    )
    verdict: GateVerdict = Field(description="Pass, Fail, Continue, Hold, NoData or ProviderError.")
    reason: str = Field(default="", max_length=64, description="One word for programs where the name does not say it.")
    message: str = Field(default="", max_length=1024, description="The answer as a sentence with its numbers.")
    requests: int = Field(default=0, ge=0, description="The candidate's requests at this weight.")
    failed_requests: int = Field(default=0, ge=0, description="Bad ones of them.")
    stable_requests: int = Field(default=0, ge=0, description="The stable's requests in the same time.")
    stable_failed_requests: int = Field(default=0, ge=0, description="Bad ones of them.")
    evidence_against: float = Field(default=0, ge=0, description="Highest e-value against the candidate.")
    fail_threshold: float = Field(default=0, ge=0, description="The e-value from which on the gate fails.")
    evidence_for: float = Field(default=0, ge=0, description="Lowest e-value in favour of the candidate.")
    pass_threshold: float = Field(default=0, ge=0, description="The e-value it takes to pass.")
    overdispersion: float = Field(
        default=1, ge=1, description="Overdispersion of the stable; all evidence is divided by it."
    )
    eta: int | None = Field(default=None, ge=0, description="Seconds until it may pass at this rate of requests.")
    attempts: int = Field(default=0, ge=0, description="How often its Job ended without an answer.")
    next_attempt_time: str = Field(default="", max_length=32, description="When its Job is made again, RFC 3339.")
    state: dict[str, Any] | None = Field(
        default=None,
        description="The sums the evidence goes on from.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )

    @property
    def unanswered(self) -> bool:
        """True when its Job ended without an answer and is not made again yet."""
        return self.next_attempt_time != "" or (self.attempts > 0 and self.verdict is GateVerdict.HOLD)


class CommandStatus(StatusShape):
    """The latest command and what became of it."""

    id: str = Field(max_length=63, description="Its id.")
    action: Action = Field(description="The action that was requested.")
    answer: str = Field(max_length=512, description="What was done, or why not.")
    time: str = Field(default="", max_length=32, description="When, RFC 3339.")


class PauseRecord(StatusShape):
    """A time in which a person held the rollout, and its clock stood."""

    start_time: str = Field(max_length=32, description="When it began, RFC 3339.")
    end_time: str = Field(default="", max_length=32, description="When it ended, RFC 3339; absent while it lasts.")


class RolloutCause(StatusShape):
    """What was asked for: the entry, and who said why, by the Model's annotations as its revision began."""

    digest: str = Field(default="", max_length=80, description="Digest of the entry.")
    reason: str = Field(default="", max_length=256, description="Why, as the annotation modelyard.dev/reason said.")
    changed_by: str = Field(
        default="", max_length=128, description="Who, as the annotation modelyard.dev/changed-by said."
    )


class RolloutRecord(StatusShape):
    """A rollout that has ended."""

    revision: str = Field(max_length=63, description="The candidate.")
    version: str = Field(max_length=63, description="Version of its entry.")
    strategy: str = Field(max_length=16, description="Strategy it was tried with.")
    outcome: Outcome = Field(description="Promoted, Aborted, Superseded, RolledBack, Failed or Reported.")
    stable: str = Field(default="", max_length=63, description="The revision that had the traffic before.")
    stable_version: str = Field(default="", max_length=63, description="Version of that revision's entry.")
    reason: str = Field(max_length=64, description="One word for programs.")
    message: str = Field(max_length=1024, description="Why, with the numbers.")
    start_time: str = Field(default="", max_length=32, description="When it began, RFC 3339.")
    end_time: str = Field(default="", max_length=32, description="When it ended, RFC 3339.")
    requests: int = Field(default=0, ge=0, description="Requests the candidate got in all.")
    failed_requests: int = Field(default=0, ge=0, description="Bad ones of them: errors.")
    cause: RolloutCause | None = Field(default=None, description="Which entry was asked for, by whom and why.")
    evidence: str = Field(default="", max_length=512, description="What the gates said last.")


class RolloutStatus(StatusShape):
    """The rollout under way, or how the last one ended."""

    phase: Phase = Field(default=Phase.IDLE, description="Idle, or where the rollout stands.")
    reason: str = Field(default="", max_length=64, description="Why it is there: one word for programs.")
    message: str = Field(default="", max_length=1024, description="Why it is there: a sentence.")
    held: Phase | None = Field(default=None, description="The phase that is held while the phase is Holding.")
    strategy: str = Field(default="", max_length=16, description="Strategy of the rollout under way.")
    pinned_spec: dict[str, Any] | None = Field(
        default=None,
        description="What spec.rollout said as the rollout began; users of an A/B test keep their side by it.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )
    stable: str = Field(default="", max_length=63, description="Revision that holds the traffic by right.")
    candidate: str = Field(default="", max_length=63, description="Revision that is tried.")
    version: str = Field(default="", max_length=63, description="Version of the candidate's entry.")
    cause: RolloutCause | None = Field(default=None, description="Which entry was asked for, by whom and why.")
    step: int = Field(default=0, ge=0, description="Index of the step; the number of steps while it bakes.")
    weight: int = Field(default=0, ge=0, le=100, description="Share the candidate is to have, in percent.")
    start_time: str = Field(default="", max_length=32, description="When the rollout began, RFC 3339.")
    phase_start_time: str = Field(default="", max_length=32, description="When the phase began, RFC 3339.")
    held_start_time: str = Field(
        default="", max_length=32, description="When the phase began that a person's pause interrupts, RFC 3339."
    )
    pauses: list[PauseRecord] = Field(
        default_factory=list,
        max_length=PAUSES,
        description="When a person held the rollout, oldest first; none of it counts for any deadline or duration.",
    )
    retain_until: str = Field(
        default="", max_length=32, description="Until when an aborted candidate is kept, RFC 3339."
    )
    replicas: int = Field(default=0, ge=0, description="The stable's replicas when it began: its floor to the end.")
    last_analysis_time: str = Field(
        default="", max_length=32, description="When the evidence was last written, RFC 3339."
    )
    paused: bool = Field(default=False, description="A command or a step's pause holds it.")
    resumed: int = Field(default=-1, ge=-1, description="Step whose pause was ended by a command.")
    failing_since: str = Field(
        default="", max_length=32, description="Since when the candidate's pods are failing, RFC 3339."
    )
    rejected: str = Field(
        default="", max_length=63, description="Revision that was tried and refused; not tried again by itself."
    )
    rejected_build: str = Field(default="", max_length=80, description="Digest of the build it serves.")
    requests: int = Field(default=0, ge=0, description="Requests the candidate got at earlier weights.")
    failed_requests: int = Field(default=0, ge=0, description="Bad ones of them: errors.")
    gates: list[GateStatus] = Field(
        default_factory=list,
        max_length=8,
        description="What is asked of the candidate.",
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    counters: str = Field(
        default="",
        max_length=32768,
        description="The gateway's counters when evidence was last written: what it counts while no operator runs is "
        "read from there on. For programs only.",
    )
    report: dict[str, Any] | None = Field(
        default=None,
        description="What a shadow, an A/B test, a replay or a load test found.",
        json_schema_extra={"x-kubernetes-preserve-unknown-fields": True},
    )
    command: CommandStatus | None = Field(default=None, description="The latest command.")
    handled_commands: list[str] = Field(
        default_factory=list,
        max_length=HISTORY,
        description="Ids of the last commands, newest first: none of them is carried out again.",
    )
    history: list[RolloutRecord] = Field(
        default_factory=list,
        max_length=HISTORY,
        description="The last rollouts, newest first; the last three that were promoted stay among them.",
    )

    def gate(self, name: str) -> GateStatus | None:
        """The gate of that name, or None."""
        return next((gate for gate in self.gates if gate.name == name), None)

    def has_handled(self, command: str) -> bool:
        """True when the command of that id was answered before, and must not be carried out again."""
        return command in self.handled_commands or (self.command is not None and self.command.id == command)

    @property
    def unanswered(self) -> bool:
        """True when a check (a Job without an answer) waits to be begun again, or for a person to do so."""
        return self.phase is not Phase.ABORTING and any(gate.unanswered for gate in self.gates)

    @property
    def at(self) -> Phase:
        """The phase, or the one that is held."""
        return self.held or self.phase

    @property
    def active(self) -> bool:
        """True while a rollout is under way."""
        return self.phase is not Phase.IDLE
