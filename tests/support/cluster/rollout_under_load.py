"""A Model under a steady load whose rollouts are watched: what the end-to-end tests of rollouts are made of.

    with Tried(namespace, a_canary(25), CLEAN) as tried:
        tried.ask(version="2")
        ended = tried.ended()

The promises are such that a machine of two cores keeps them while three such tests share it, and the steps such that
a verdict takes seconds: with 10 % allowed some 90 good requests of the candidate's, with 5 % twice as many. How long
is waited for one is no promise, since evidence comes as fast as the machine answers: only that it comes at all.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.support.cluster.kubectl import PATIENCE, items, kubectl, run
from tests.support.cluster.models import Load, a_model, applied, until
from tests.support.cluster.watch import Watch
from tests.support.repository.proof import PROOF

NAME = "digits"
TENSOR = "input:1,1,8,8"
STRICT = {"errorRate": "5%", "latency": {"percentile": 95, "threshold": "500ms"}}
PROMISE = STRICT if PROOF else {**STRICT, "errorRate": "10%"}
SMALL = {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
RATE = 25.0 if PROOF else 10.0
CLEAN, BRIGHT = ("--fill", "0.5"), ("--fill", "1")
"""Inputs that every version answers, and inputs at which version 3 fails."""
BROKEN_CLIENT = ("--mistakes", "5")
"""Every fifth request over HTTP is one that no server can read."""
PICTURES = ("--samples", "model-repo/digits/1/eval.npz")
"""Handwritten digits, of which version 3 fails a quarter."""
Shot = dict[str, Any]


def a_canary(*weights: int, bake: str = "10s", **more: Any) -> dict[str, Any]:
    """A canary with these steps that leaves its refused candidate at once."""
    steps = [{"weight": weight} for weight in weights]
    return {"strategy": "Canary", "steps": steps, "bake": bake, "abortScaleDownDelay": "1s", **more}


class RolloutUnderLoad:
    """A first version serves, `RATE` requests a second come over each protocol; Model and route are watched."""

    def __init__(
        self,
        namespace: str,
        rollout: dict[str, Any],
        http: tuple[str, ...] = CLEAN,
        grpc: tuple[str, ...] | None = None,
        *,
        slo: dict[str, Any] = PROMISE,
        rate: float = RATE,
        first: str = "1",
        serving: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """`more` are further fields of the Model's spec."""
        self.namespace, self.rollout, self.slo, self.rate, self._more = namespace, rollout, slo, rate, more
        self._first, self._serving = first, serving or {"resources": SMALL}
        self._inputs = {"http": http, "grpc": http if grpc is None else grpc}
        self.loads: list[Load] = []
        self.counts: list[dict[str, Any]] = []
        self._over: set[tuple[str, str]] = set()

    def __enter__(self) -> "RolloutUnderLoad":
        self.ask(version=self._first)
        self.stable = until(NAME, self.namespace, "Reconciling", "False", "Done")["status"]["revision"]
        self.model = Watch("model", NAME, self.namespace).__enter__()
        self.route = Watch("httproute", NAME, self.namespace).__enter__()
        for watch in (self.model, self.route):
            watch.until(bool, "it is seen")
        self.resume_load()
        return self

    def __exit__(self, *_: object) -> None:
        self.rest()
        for watch in (self.model, self.route):
            watch.__exit__()

    def ask(self, entry: str = "digits", version: str = "1", **more: Any) -> None:
        """Applies the Model with that source and perhaps another `serving` or `rollout`."""
        self._asked_at = time.time()
        spec = {"serving": self._serving, "rollout": self.rollout, "slo": self.slo, **self._more, **more}
        applied(a_model(NAME, self.namespace, entry, version, **spec))

    @property
    def known(self) -> int:
        """How many rollouts have ended so far; the status itself remembers only the last ten."""
        return self._counted(self.shots()[-1])

    def _counted(self, shot: Shot) -> int:
        self._over |= {(record["revision"], record["endTime"]) for record in shot.get("history", [])}
        return len(self._over)

    def say(self, action: str) -> str:
        """A command as a person types it; what the program answered."""
        result = run("modelyard", "rollout", action, NAME, "-n", self.namespace, check=False)
        return result.stdout + result.stderr

    def resume_load(self, http: tuple[str, ...] = (), grpc: tuple[str, ...] = ()) -> None:
        """Users come (again), perhaps with other inputs."""
        self._inputs = {"http": http or self._inputs["http"], "grpc": grpc or self._inputs["grpc"]}
        self.loads = [
            Load(protocol, NAME, self.namespace, TENSOR, self.rate, more) for protocol, more in self._inputs.items()
        ]

    def rest(self) -> list[dict[str, Any]]:
        """Users go; the counts of what they got, HTTP and gRPC."""
        self.counts += [load.ended() for load in self.loads]
        self.loads = []
        return self.counts

    def until(self, answer: Callable[[Shot], Any], wanted: str, seconds: float = PATIENCE) -> Any:
        """The first truthy answer to the newest `status.rollout`."""
        return self.model.until(lambda model: answer(_shot(model)), wanted, seconds)

    def reaches(self, *phases: str, seconds: float = PATIENCE) -> Shot:
        """`status.rollout` as one of these phases is seen."""
        return self.until(lambda shot: shot if shot.get("phase") in phases else None, f"it is {phases}", seconds)

    def gets(self, weight: int, seconds: float = PATIENCE) -> Shot:
        """`status.rollout` once the candidate is to have that share."""
        return self.until(
            lambda shot: shot if shot.get("weight") == weight else None, f"its share is {weight}", seconds
        )

    def ended(self, known: int = 0, seconds: float = 540) -> Shot:
        """The record of the rollout that ends next, when so many had ended before; its traffic is gone by then."""

        def record(shot: Shot) -> Shot | None:
            return shot["history"][0] if self._counted(shot) > known and shot.get("phase") == "Idle" else None

        return self.until(record, f"{known + 1} rollouts have ended", seconds)

    def alone(self, seconds: float = PATIENCE) -> str:
        """The revision that is left, once there is only one."""

        def left(model: dict[str, Any]) -> str | None:
            revisions = model.get("status", {}).get("revisions", [])
            return revisions[0]["name"] if len(revisions) == 1 and revisions[0]["stage"] == "Serving" else None

        return self.model.until(left, "one revision is left", seconds)

    def shots(self) -> list[Shot]:
        """Every `status.rollout` that was seen."""
        return [_shot(sight.thing) for sight in self.model.seen]

    def shares(self, revision: str) -> list[float]:
        """The share the route gave a revision since the Model was applied last: every change of it, in percent."""
        weights_seen: list[float] = []
        older = [sight for sight in self.route.seen if sight.at < self._asked_at]
        for sight in [*older[-1:], *self.route.seen[len(older) :]]:
            weights = {ref["name"]: ref.get("weight", 1) for ref in sight.thing["spec"]["rules"][0]["backendRefs"]}
            weight = round(100 * weights.get(f"{revision}-predictor", 0) / (sum(weights.values()) or 1), 3)
            if not weights_seen or weights_seen[-1] != weight:
                weights_seen.append(weight)
        return weights_seen

    def pods(self, revision: str) -> dict[str, int]:
        """Restarts of a revision's pods, by uid."""
        pods = items("pods", self.namespace, f"serving.kserve.io/inferenceservice={revision}")
        return {
            pod["metadata"]["uid"]: sum(status["restartCount"] for status in pod["status"].get("containerStatuses", []))
            for pod in pods
            if not pod["metadata"].get("deletionTimestamp")
        }


def unharmed(counts: Sequence[dict[str, Any]], *revisions: str) -> None:
    """No request that one of these revisions answered, or nobody, has failed."""
    for count in counts:
        bad = {who: failed for who, failed in count["failed"].items() if who in ("", *revisions)}
        assert bad == {}, (bad, count["errors"])
        assert count["requests"] > 0


def kill_operators() -> None:
    """Ends every pod of the operator as SIGKILL does."""
    selector = "app.kubernetes.io/name=modelyard,app.kubernetes.io/component=operator"
    kubectl("delete", "pod", "-n", "modelyard-system", "-l", selector, "--grace-period=0", "--force", "--wait=false")


def _shot(model: dict[str, Any]) -> Shot:
    return model.get("status", {}).get("rollout", {})
