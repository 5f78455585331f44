"""What should be done: the outcome of one decision, carried out by the operator in the order of the fields.

The status comes first: it records the stage of every revision before routes follow it. Were it the other
way round, an operator that stops in between would find traffic on a revision that its status calls
unproven, and take it away at once. Every write is idempotent, so a crash between any two of them only
means that the next decision plans the rest again.
"""

from dataclasses import dataclass
from typing import Any

from .event_types import EventType, event_type
from .snapshot import Ref


@dataclass(frozen=True)
class Scale:
    """Set the replicas of a Deployment, through its scale subresource."""

    deployment: Ref
    replicas: int


@dataclass(frozen=True)
class Warmup:
    """Ask a revision for one inference through its pinned route; the answer enters the next snapshot.

    `digest` is that of its build, where the request lies; `model` the name Triton knows it by; `host` the host name.
    """

    revision: str
    digest: str
    model: str
    host: str


@dataclass(frozen=True)
class Event:
    """A Kubernetes Event on the Model."""

    type: EventType
    reason: str
    message: str

    @classmethod
    def of(cls, reason: str, message: str, cause: str = "") -> "Event":
        """The Event with that reason, of the type that goes with it, or with its `cause` where that is another word."""
        return cls(event_type(cause or reason), reason, message)


@dataclass(frozen=True)
class Plan:
    """What one decision asks for, in the order it is carried out; an empty field asks for nothing.

    `status` replaces the Model's status, None leaves it; `apply` are whole manifests; when one of `claims` turns out to
    be somebody else's, none of them is applied; of `rechecks` it is only asked whose they are by now; `autoscalers` are
    manifests, too, applied after all else, and when one is refused everything else goes on; `requeue_after` are seconds
    until the next decision even if nothing changes, None for never.
    """

    status: dict[str, Any] | None = None
    claims: tuple[Ref, ...] = ()
    rechecks: tuple[Ref, ...] = ()
    apply: tuple[dict[str, Any], ...] = ()
    scale: tuple[Scale, ...] = ()
    delete: tuple[Ref, ...] = ()
    events: tuple[Event, ...] = ()
    warmups: tuple[Warmup, ...] = ()
    autoscalers: tuple[dict[str, Any], ...] = ()
    requeue_after: float | None = None

    @property
    def empty(self) -> bool:
        """True when there is nothing to write or to ask; `requeue_after` does not count."""
        written = self.apply or self.scale or self.delete or self.status or self.autoscalers
        return not (written or self.events or self.warmups)
