"""One reconcile pass over one Model: observe -> decide -> carry out.

The plan is carried out in the order status, applies, scales, deletes, events, warm-ups, autoscalers; a child that
cannot be written keeps back what comes after it, but not the events of a status that was written. What the API server
refuses keeps back the pods that would run as it and nothing else, and the next status says so. Each step can be
repeated, so whatever stops us in the middle, the next pass plans the rest again. Then the Model is reconciled once
more: after a change (until nothing is left to do), and later when time alone changes something. A change makes others
act, and what they do wakes the Model; only where a candidate is compared with a stable the next pass follows at once.
A pass calls nobody but the API server, to write and to see whose an object is; what it asks of others wakes the Model
later.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from modelyard.core.conditions import ConditionUpdate, merge
from modelyard.core.kinds import MODEL
from modelyard.core.ownership import IDENTITY_KINDS, ours
from modelyard.core.plan import Event, Plan
from modelyard.core.snapshot import Failure, Object, Ref, Snapshot
from modelyard.errors import Conflict, OutsideError, Refused
from modelyard.operator.cache.guarded_writes import GuardedWrites
from modelyard.operator.cache.objects import Key, ObjectCache, compares, ref_of
from modelyard.operator.cache.ownership import Ownership
from modelyard.operator.metrics.controller import ControllerMetrics
from modelyard.operator.observer.snapshot import SnapshotObserver
from modelyard.settings import Settings

from .events import EventRecorder

_REFUSED_SECONDS = 30.0
TOGETHER_SECONDS = 0.05
"""How long a change of a child waits for others to be taken in with it. It does not where a candidate is compared with
a stable."""
SURE_SECONDS = 1.0
"""How long after a change it is made sure that nothing is left to do, unless something happens before."""
UNKNOWN_ENTRY_SECONDS = 60.0
"""How often a Model whose entry is unknown is reconciled again: somebody may push it any time."""

_log = logging.getLogger(__name__)

Decide = Callable[[Snapshot, Settings], Plan]


@dataclass(frozen=True)
class ReconcileResult:
    """How one pass ended: `word`, the label of the metric, and `again`, the seconds until the next pass.

    `again` None means when something happens.
    """

    word: str
    again: float | None = None


@dataclass(frozen=True)
class Reconciler:
    """Everything one reconcile pass needs."""

    settings: Settings
    cache: ObjectCache
    observer: SnapshotObserver
    decide: Decide
    writes: GuardedWrites
    ownership: Ownership
    recorder: EventRecorder
    metrics: ControllerMetrics

    def reconcile(self, key: Key) -> ReconcileResult:
        """One pass over one Model. Raises OutsideError or NotLeading when a write did not go through."""
        stored = self.cache.model(key)
        if stored is None:
            self.observer.forget(key)
            self._clear(key)
            return ReconcileResult("gone")
        try:
            snapshot = self.observer.observe(key, stored)
        except ValidationError as error:
            self._refuse(stored, error)
            return ReconcileResult("invalid")
        plan = self.decide(snapshot, self.settings)
        again = self._carry_out(key, stored, plan)
        delays = [delay for delay in (plan.requeue_after, again, self._patience(snapshot)) if delay is not None]
        return ReconcileResult("settled" if plan.empty else "changed", min(delays, default=None))

    def _clear(self, key: Key) -> None:
        """Ends the Jobs of a Model that is gone: they have no owner, because owners live in the same namespace."""
        for ref, child in self.cache.children(key).items():
            if ref.kind == "Job" and ours(child, "") and "deletionTimestamp" not in child["metadata"]:
                self.writes.delete(ref)
                _log.info("deleted", extra={"fields": _about(key, kind=ref.kind, name=ref.name)})

    def _carry_out(self, key: Key, stored: Object, plan: Plan) -> float | None:
        """All writes of a plan, and its warm-ups begun; the seconds until the next pass, None without any news."""
        if plan.status is not None:
            self.writes.status(Ref(MODEL.kind, *key), stored, plan.status)
        try:
            free = self._names_free(key, stored, plan)
            self._change(key, stored, plan, free)
        except OutsideError:
            self._report(key, stored, plan)
            raise
        self._report(key, stored, plan)
        for warmup in plan.warmups:
            self.observer.probes.ask(key, warmup)
        later = self._autoscale(key, stored, plan) if free else None
        wrote = plan.apply or plan.scale or plan.delete or plan.status is not None
        if not (wrote or plan.rechecks or not free):
            return later
        if compares(stored):
            return 0.0
        return SURE_SECONDS if free and not plan.rechecks else TOGETHER_SECONDS

    def _names_free(self, key: Key, stored: Object, plan: Plan) -> bool:
        """Whether the children may be applied: a new Model's none before all its names are known to be free."""
        now = self.observer.now()
        for ref in plan.rechecks:
            self.ownership.claim(key, stored, ref, now)
        return not plan.claims or self.ownership.free(key, stored, plan.claims, now)

    def _change(self, key: Key, stored: Object, plan: Plan, free: bool) -> None:
        """Applies, where the names are `free`, scales and deletes the children."""
        if free:
            self._apply_accepted(key, stored, plan.apply)
        for change in plan.scale:
            write = partial(self.writes.scale, change.deployment, change.replicas)
            if self._accepted(key, change.deployment, "scale", write):
                self.ownership.written(key, change.deployment)
                fields = _about(key, name=change.deployment.name, replicas=change.replicas)
                _log.info("scaled", extra={"fields": fields})
        for ref in plan.delete:
            if self._accepted(key, ref, "delete", partial(self.writes.delete, ref)):
                self.ownership.written(key, ref)
                _log.info("deleted", extra={"fields": _about(key, kind=ref.kind, name=ref.name)})

    def _report(self, key: Key, stored: Object, plan: Plan) -> None:
        """Records the Events; the status that they are about is written, so no later pass would."""
        for event in plan.events:
            self.recorder.post(stored, event)
            _log.info("event", extra={"fields": _about(key, reason=event.reason, said=event.message)})

    def _autoscale(self, key: Key, stored: Object, plan: Plan) -> float | None:
        """Applies the autoscalers; the seconds until that is tried again when one is refused, which harms nobody."""
        try:
            self._apply(key, stored, plan.autoscalers)
        except OutsideError as bad:
            _log.warning("autoscaler not written", extra={"fields": _about(key, said=str(bad))})
            self.recorder.post(stored, Event.of("AutoscalerRefused", f"No autoscaler could be made: {bad}"))
            return _REFUSED_SECONDS
        return None

    def _apply_accepted(self, key: Key, stored: Object, children: Iterable[Object]) -> None:
        """Applies every child that the API server takes; no pods are begun when it refuses as whom they run."""
        refused = set[str]()
        for child in children:
            if child["kind"] == "InferenceService" and refused & IDENTITY_KINDS:
                continue
            if not self._accepted(key, ref_of(child), "write", partial(self._apply, key, stored, (child,))):
                refused.add(child["kind"])

    def _accepted(self, key: Key, ref: Ref, verb: str, write: Callable[[], None]) -> bool:
        """Whether a write went through; False when the API server answered and refused it, which is remembered."""
        try:
            write()
        except Refused as bad:
            self.ownership.refuse(key, ref, verb, bad, self.observer.now())
            _log.warning("refused", extra={"fields": _about(key, kind=ref.kind, name=ref.name, said=str(bad))})
            return False
        return True

    def _apply(self, key: Key, stored: Object, children: Iterable[Object]) -> None:
        """Applies every child whose name is not taken."""
        now = self.observer.now()
        for child in children:
            ref = ref_of(child)
            written = self._write(key, stored, child, now)
            say, done = (_log.info, "applied") if written else (_log.warning, "not ours")
            say(done, extra={"fields": _about(key, kind=ref.kind, name=ref.name)})

    def _write(self, key: Key, stored: Object, child: Object, now: float) -> bool:
        """Writes one child; False when somebody else's object has its name, and nothing is written."""
        ref = ref_of(child)
        claim = self.ownership.known(key, stored, ref, now)
        if claim is None:
            try:
                self.writes.make(child)
                self.ownership.written(key, ref)
                return True
            except Conflict:
                claim = self.ownership.claim(key, stored, ref, now)
                if not claim.uid:
                    raise
        if not claim.taken:
            self.writes.apply(child, claim.uid)
            self.ownership.written(key, ref)
        return not claim.taken

    def _patience(self, snapshot: Snapshot) -> float | None:
        """Seconds until the registry may have another answer."""
        if isinstance(snapshot.entry, Failure) and not snapshot.entry.retry:
            return UNKNOWN_ENTRY_SECONDS
        return self.settings.operator.alias_seconds if snapshot.model.spec.source.alias else None

    def _refuse(self, stored: Object, error: ValidationError) -> None:
        """Says in the status what is wrong with a stored Model; all else in the status stays."""
        first = error.errors()[0]
        field = ".".join(str(name) for name in first["loc"])
        message = f"{field} of the stored Model is not usable: {first['msg']}; {_mended(stored, field)}."
        metadata, status = stored["metadata"], stored.get("status") or {}
        key = Key(metadata["namespace"], metadata["name"])
        stalled = [condition for condition in status.get("conditions", []) if condition["type"] == "Stalled"]
        _log.warning("invalid Model", extra={"fields": _about(key, said=message)})
        if any(condition["message"] == message for condition in stalled):
            return
        generation, now = metadata.get("generation", 0), self.observer.now()

        def refused_status(live: Object) -> Object:
            return {**live, "conditions": _stalled(live, message, generation, now)}

        try:
            self.writes.amend_status(Ref(MODEL.kind, *key), metadata["uid"], refused_status)
            self.recorder.post(stored, Event.of("InvalidModel", message))
        except OutsideError as refused:
            _log.warning("status not written", extra={"fields": _about(key, said=str(refused))})


def _mended(stored: Object, field: str) -> str:
    """How a person mends a field of a stored Model: a status is not what they apply."""
    if not field.startswith("status."):
        return "correct it and apply it again"
    name, namespace = stored["metadata"]["name"], stored["metadata"]["namespace"]
    edit = f"`kubectl edit model {name} -n {namespace} --subresource=status`"
    return f"correct it by {edit}, or take status.revisions out there: who has the traffic is read from the route"


def _stalled(status: Object, message: str, generation: int, now: float) -> list[dict[str, Any]]:
    """The conditions with the three sums replaced."""
    updates = {
        "Ready": ConditionUpdate(False, "InvalidModel", message),
        "Reconciling": ConditionUpdate(False, "InvalidModel", message),
        "Stalled": ConditionUpdate(True, "InvalidModel", message),
    }
    sums = merge((), updates, generation, now)
    rest = [condition for condition in status.get("conditions", []) if condition["type"] not in updates]
    return [*(condition.model_dump(by_alias=True, mode="json") for condition in sums), *rest]


def _about(key: Key, **more: object) -> dict[str, object]:
    return {"model": f"{key.namespace}/{key.name}", **more}
