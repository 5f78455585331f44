"""One replica of the operator: its components put together, started in order, stopped in the reverse order.

Stopping hands over without a gap: workers finish, no new write begins, writes under way end, the Lease is
released, and only then do the watches close. No step waits for anybody for longer than its row says, so that all is
over before the kubelet loses its patience (`terminationGracePeriodSeconds` in the chart):

| step | seconds | why so many |
|---|---|---|
| workers finish | 5 | a pass asks nobody; what it still wants to write, the next leader writes |
| writes end | 13 | the longest that one call to the API server takes |
| the Lease is released | 13 | the same; unreleased it runs out by itself |
| watches close | 2 | they only read |
"""

import logging
import socket
import threading
import time
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from kubernetes.client import Configuration

from modelyard import __version__
from modelyard.clients.cluster.api_server import Cluster
from modelyard.clients.cluster.list_watch import Follower
from modelyard.clients.cluster.pod_watch import PodWatch
from modelyard.clients.deadline import within
from modelyard.clients.inference.gateway import Gateway
from modelyard.clients.metrics.envoy_pods import owner_selector
from modelyard.clients.webhook import post
from modelyard.core.decide import decide
from modelyard.core.kinds import BY_NAME, MODEL, Kind
from modelyard.core.names import BUILD_LABEL
from modelyard.core.snapshot import Object, Ref
from modelyard.core.traffic import Reserved
from modelyard.errors import OutsideError
from modelyard.settings import Settings

from .cache.guarded_writes import GuardedWrites
from .cache.objects import Key, ObjectCache, compares, has_rollout, key_of, may_rest
from .cache.ownership import Ownership
from .cache.rival_autoscalers import AUTOSCALERS, RivalAutoscalers
from .cache.route_claims import ROUTES, OthersRoutes, RouteClaims
from .cache.watch import Watches
from .http_endpoints import Endpoints, Verdict
from .leader_election import Lease, margin
from .metrics.controller import ControllerMetrics
from .observer.builds import BuildObserver, ObjectReader
from .observer.checks import CheckObserver
from .observer.cluster_room import RoomObserver
from .observer.crash_logs import CrashLogs
from .observer.entries import EntryObserver, MirroredRegistry
from .observer.evaluations import EvaluationObserver
from .observer.retraining.results import RetrainingObserver
from .observer.scaling_means import ScalingMeansWatch
from .observer.signing.build_keys import BuildKeyWatch
from .observer.signing.verification import SignedEntries, VerificationObserver
from .observer.snapshot import SnapshotObserver
from .observer.store_access import RenewableStore, StoreAccess
from .observer.warmups import Warmups
from .polling.polling import MOST_THREADS, Polling
from .reconciler.events import EventRecorder
from .reconciler.reconcile import TOGETHER_SECONDS, Reconciler
from .traffic.holders import SELECTOR, HolderWatch, Place
from .traffic.reservations import reserved_by
from .traffic.sampler import Sampler, provider
from .workers import ROLLOUT_WORKERS, Workers
from .workqueue import Queue

_STUCK_SECONDS = 300.0
_DEAF_SECONDS = 120.0
"""Three times what a watch that hears nothing takes to be begun anew."""
_OF_MARGIN = 0.9
"""A write that the Lease allowed is over when that much of the Lease's margin is."""
_WORKERS_SECONDS, _WRITES_SECONDS, _LEASE_SECONDS, _WATCHES_SECONDS = 5.0, 13.0, 13.0, 2.0
HAND_OVER_SECONDS = _WORKERS_SECONDS + _WRITES_SECONDS + _LEASE_SECONDS + _WATCHES_SECONDS
"""What `Operator.run` takes at most to return once it is told to stop, but for a second to notice it."""
_LONGEST_WAIT = 5.0
_log = logging.getLogger(__name__)


class OperatorStore(ObjectReader, RenewableStore, Protocol):
    """What the operator needs of the store."""


@dataclass(frozen=True)
class Library:
    """Where entries and builds are; `mirrored` has those of MLflow."""

    registry: SignedEntries
    store: OperatorStore
    mirrored: MirroredRegistry | None = None


class Operator:
    """The components of one replica. `run` returns when `stop` is set or when a component's thread has ended."""

    def __init__(self, settings: Settings, access: Configuration, library: Library) -> None:
        self.settings = settings
        options = settings.operator
        self._identity = options.identity or socket.gethostname()
        connections = options.workers + ROLLOUT_WORKERS + MOST_THREADS + len(BY_NAME) + len(ROUTES) + 3
        self.cluster = Cluster(access, connections, write_seconds=_OF_MARGIN * margin(options.lease_seconds))
        self.cache = ObjectCache()
        self.queue: Queue[Key] = Queue(urgent=self._urgent)
        self.polling = Polling(self._wake)
        self.lease = Lease(self.cluster, options.namespace, self._identity, options.lease_seconds)
        self.metrics = ControllerMetrics(self.cache, self.queue.depth, lambda: self.lease.held, settings.prices)
        self.writes = GuardedWrites(self.cluster, self.cache, self.lease, self.metrics)
        self._crashes = CrashLogs(self.cluster, self.polling)
        self._builds = BuildObserver(library.store, self.cluster, self.polling)
        self._gateway = Gateway(settings.gateway.url, MOST_THREADS)
        self.envoys = PodWatch(self.cluster, owner_selector(settings.gateway))
        self.holder_pods = PodWatch(self.cluster, SELECTOR)
        self.holders = HolderWatch(self.holder_pods, settings.holder, options.namespace, self._held)
        self.claims = RouteClaims(settings.gateway, lambda key: self._wake(key, 0.0))
        self.rivals = RivalAutoscalers(lambda key: self._wake(key, 0.0), self._wake_namespace)
        counters = provider(settings.gateway, self.envoys)
        self.sampler = Sampler(
            counters, self.cache, self.queue.add, self.metrics, leading=lambda: self.lease.held, reserved=self._reserved
        )
        self.store_access = StoreAccess(self.cluster, library.store, settings, self._wake_all)
        self.scaling = ScalingMeansWatch(self.cluster, settings, self._wake_all)
        checks = CheckObserver(self.cluster, self.polling)
        self.build_keys = BuildKeyWatch(self.cluster, self.writes.create, settings, self._wake_all)
        evaluations = EvaluationObserver(library.store, self.polling)
        self.observer = SnapshotObserver(
            settings,
            self.cache,
            EntryObserver(library.registry, self.polling, library.mirrored),
            self._builds,
            self._crashes,
            checks,
            Warmups(self._builds.warmup_request, self._gateway, self.polling, self.metrics.warmed),
            self.sampler.of,
            credentials=self.store_access.credentials,
            rivals=self.claims.of,
            scaling_means=self.scaling.known,
            rival_autoscaler=self.rivals.of,
            holders=self.holders.of,
            room=RoomObserver(self.cluster, self.polling).of,
            verification=VerificationObserver(self.cluster, library.registry, self.polling, settings).of,
            start_check=self.build_keys.start_check,
            monitoring=evaluations.of,
            labelled=evaluations.labelled,
            retraining=RetrainingObserver(checks, self.cluster, post, self.polling).of,
        )
        others: dict[str, Follower] = {kind: OthersRoutes(kind, self.claims) for kind in ROUTES}
        others[AUTOSCALERS] = self.rivals
        self.watches = Watches(self.cluster, options.namespace, self.cache, self.changed, self.metrics.lost, others)
        self.workers = Workers(options.workers, self.queue, self._reconciler(), self._may_work)
        self.endpoints = Endpoints(
            options.metrics_port,
            self.metrics.text,
            self.healthy,
            self.ready,
            self.store_access.verdict,
            self.scaling.report,
        )
        self._waits_for = ""

    def run(self, stop: threading.Event) -> bool:
        """Works until `stop` is set; False when a component's thread ended before that."""
        fields = {"version": __version__, "identity": self._identity, "namespace": self.settings.operator.namespace}
        _log.info("starting", extra={"fields": fields})
        self.endpoints.start()
        self._await_kinds(stop)
        leaving = threading.Event()
        leading = threading.Thread(target=self.lease.run, args=(leaving, self._led), name="lease", daemon=True)
        if not stop.is_set():
            self.store_access.start()
            self.scaling.start()
            self.build_keys.start()
            self.watches.start()
            self.envoys.start()
            self.holder_pods.start()
            self.holders.start()
            self.sampler.start()
            self.polling.start()
            self.workers.start()
            leading.start()
        while not stop.wait(1.0) and leading.is_alive() and self._components_live():
            pass
        stopped = stop.is_set()
        _log.info("stopping", extra={"fields": {"asked": stopped}})
        self._hand_over(leaving, leading)
        return stopped

    def changed(self, changed: Object, gone: bool) -> None:
        """Queues the Models that an object concerns which came, changed or is `gone`."""
        self.metrics.saw(changed["kind"])
        if changed["kind"] == "Job":
            self._job_changed(changed)
        if changed["kind"] in ROUTES:
            self.claims.note(changed, gone)
        if gone and changed["kind"] == "Pod":
            self._crashes.forget(changed["metadata"]["uid"])
        key = key_of(changed)
        if key is None:
            return
        if changed["kind"] == MODEL.kind and gone:
            self.queue.drop(key)
            self.observer.forget(key)
        model = self.cache.model(key)
        if model is not None:
            at_once = changed["kind"] == MODEL.kind or compares(model)
            self.queue.add(key, 0.0 if at_once else TOGETHER_SECONDS)
        elif self._left_work(key):
            self.queue.add(key)

    def _left_work(self, key: Key) -> bool:
        """A Model that is gone left Jobs in the platform's namespace, where nothing ends them but us."""
        return any(ref.kind == "Job" for ref in self.cache.children(key))

    def healthy(self) -> Verdict:
        """For the liveness probe: False, and why, when the kubelet is to restart this replica."""
        if self._waits_for:
            return True, self._waits_for
        silent = time.monotonic() - self.watches.beat
        if silent > _DEAF_SECONDS:
            return False, f"the watches have not been alive for {silent:.0f} s"
        stuck = self.queue.longest_taken()
        if stuck > _STUCK_SECONDS:
            return False, f"a worker has held one Model for {stuck:.0f} s"
        return True, "ok"

    def ready(self) -> Verdict:
        """For the readiness probe: True once the cache is complete, so that this replica could take over."""
        if self._waits_for:
            return False, self._waits_for
        if not self.watches.complete:
            return False, f"the cache is not complete: {self.watches.missing}"
        return True, "leading" if self.lease.held else "following"

    def _reconciler(self) -> Reconciler:
        recorder = EventRecorder(self.writes, self._identity)
        return Reconciler(
            self.settings,
            self.cache,
            self.observer,
            decide,
            self.writes,
            Ownership(self.cluster, self.cache, self.observer.foreign),
            recorder,
            self.metrics,
        )

    def _components_live(self) -> bool:
        watching = (self.watches, self.envoys, self.holder_pods, self.holders, self.scaling, self.build_keys)
        parts = (*watching, self.workers, self.sampler, self.polling, self.store_access)
        return all(part.alive for part in parts)

    def _may_work(self) -> bool:
        return self.lease.held and self.watches.complete

    def _urgent(self, key: Key) -> bool:
        model = self.cache.model(key)
        return model is not None and has_rollout(model)

    def _reserved(self, key: Key) -> Reserved:
        """What the pods of a Model reserve, where somebody has said what that costs."""
        return reserved_by(self.cache, key) if self.settings.prices.known else Reserved()

    def _wake(self, key: Key, after: float) -> None:
        """An answer is there, or it is time to ask again."""
        if self.cache.model(key) is not None:
            self.queue.add(key, after)

    def _led(self, held: bool) -> None:
        _log.info("leadership", extra={"fields": {"held": held, "identity": self._identity}})
        if held:
            self._wake_all()

    def _wake_all(self) -> None:
        for key in self.cache.owners():
            self.queue.add(key)

    def _wake_namespace(self, namespace: str) -> None:
        for key in self.cache.owners():
            if key.namespace == namespace:
                self.queue.add(key)

    def _held(self, places: frozenset[Place] | None) -> None:
        """Requests began or ceased to wait for these revisions; None: other holders are ready than before."""
        if places is None:
            for model in self.cache.models():
                if may_rest(model):
                    self.queue.add(Key(model["metadata"]["namespace"], model["metadata"]["name"]))
            return
        for namespace, revision in places:
            service = self.cache.get(Ref("InferenceService", namespace, revision))
            key = key_of(service) if service is not None else None
            if key is not None:
                self.queue.add(key)

    def _job_changed(self, job: Object) -> None:
        """A Job of a build wakes the Models that wait for it; a check's Model is known by its labels."""
        label = job["metadata"].get("labels", {}).get(BUILD_LABEL, "")
        if not label:
            return
        for key in self.observer.desired_builds.of(label):
            self.queue.add(key)
        finished = self._builds.finished(job)
        if finished is not None and self.lease.held:
            self.metrics.built(*finished)

    def _await_kinds(self, stop: threading.Event) -> None:
        """A kind that is not there cannot be watched, so all of them must be there before the watches start.

        Each API is asked for by itself, and never again once it is there: a slow API server gets us on as well.
        """
        apis: dict[str, list[Kind]] = {}
        for kind in (row for row in BY_NAME.values() if not row.optional):
            apis.setdefault(kind.api_version, []).append(kind)
        while apis and not stop.is_set():
            self._waits_for = self._missing(apis, stop)
            if self._waits_for:
                _log.warning("waiting", extra={"fields": {"for": self._waits_for}})
                stop.wait(3.0)

    def _missing(self, apis: dict[str, list[Kind]], stop: threading.Event) -> str:
        """What is waited for, empty when for nothing; takes out of `apis` those that are there."""
        unknown: list[str] = []
        for api in takewhile(lambda _: not stop.is_set(), list(apis)):
            try:
                with within(_LONGEST_WAIT):
                    missing = self.cluster.unserved(apis[api])
            except OutsideError as error:
                return str(error)
            if not missing:
                del apis[api]
            unknown += [f"{kind.plural}.{api}" for kind in missing]
        return f"the API server does not know {', '.join(unknown)}: install their CRDs" if unknown else ""

    def _hand_over(self, leaving: threading.Event, leading: threading.Thread) -> None:
        self.workers.stop(_WORKERS_SECONDS)
        self.writes.close(_WRITES_SECONDS)
        leaving.set()
        if leading.is_alive():
            leading.join(_LEASE_SECONDS)
        self.sampler.stop()
        self.store_access.stop()
        self.scaling.stop()
        self.build_keys.stop()
        self.envoys.stop()
        self.holders.stop()
        self.holder_pods.stop()
        self.polling.stop()
        self.watches.stop(_WATCHES_SECONDS)
        self._gateway.close()
        self.endpoints.stop()
