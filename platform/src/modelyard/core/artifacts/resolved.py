"""What a spec resolves to; `resolve.py` says how."""

from dataclasses import dataclass

from modelyard.api.status import BuildStatus, RevisionStatus
from modelyard.core.conditions import ConditionUpdate
from modelyard.core.snapshot import ResolvedEntry

from .optimization import OptimizationState


@dataclass(frozen=True)
class ResolvedArtifact:
    """What a spec resolves to, as far as that is known: entry, build and revision.

    `resolved` and `built` are what to write to EntryResolved and Built. `job` says that the Job of the plain build is
    to be there, `job_again` that the one that failed has to give way to it first, `wait` how many seconds it is until
    then; `stalled` that only a person can bring it further; `optimizing` is the state of the optimized build, None when
    the spec asks for none.
    """

    resolved: ConditionUpdate
    built: ConditionUpdate
    entry: ResolvedEntry | None = None
    build: BuildStatus | None = None
    job: bool = False
    job_again: bool = False
    wait: float | None = None
    revision: RevisionStatus | None = None
    stalled: bool = False
    optimizing: OptimizationState | None = None
