"""`python -m tests.bench.scaling.cold_starts`: the first answer from zero beside the start of a bare pod, as Markdown.

* From zero: a Model has no replicas and its last pod is gone; from sending a request to its answer, through gateway and
  holder.
* A bare pod: the same pod, init container and all, made with `kubectl create` and by nobody else; from its creation to
  the condition Ready, which `kubectl get --watch` tells. No Deployment, Service or gateway has to learn of it, and
  nobody asks it anything.

Both in turn, the other one first in every second pair; a pair gives one ratio. The image is on the node. Beside it
stands what `status.coldStart` says, which counts from the operator's decision to the first ready replica. Needs the
local cluster with Modelyard and the example entries.
"""

import argparse
import statistics
import time
from typing import Any

from modelyard.core.names import REVISION_LABEL
from tests.support.cluster.kubectl import apply, eventually, get, items, kubectl
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.scaling.resting import asleep, awake, over_http, rests
from tests.support.cluster.watch import Watch

BARE = "bare"


def from_zero(namespace: str) -> float:
    """Seconds from a request to its answer."""
    asleep(namespace)
    began = time.perf_counter()
    over_http(namespace)
    took = time.perf_counter() - began
    awake(namespace)
    return took


def like(pod: dict[str, Any], namespace: str) -> dict[str, Any]:
    """A pod that runs what another runs, and that nobody selects."""
    spec = {name: value for name, value in pod["spec"].items() if name not in ("nodeName", "topologySpreadConstraints")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": BARE, "namespace": namespace}, "spec": spec}


def bare(namespace: str, pod: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Seconds from the creation of a pod like this one to its being ready, and the pod as it was then."""
    with Watch("pod", "", namespace) as watch:
        time.sleep(1.0)  # until it watches
        began = time.time()
        apply(like(pod, namespace))
        watch.until(lambda seen: seen["metadata"]["name"] == BARE and _ready(seen), "the bare pod is ready", 120)
        first = next(sight for sight in watch.seen if sight.thing["metadata"]["name"] == BARE and _ready(sight.thing))
    kubectl("delete", "pod", BARE, "-n", namespace, "--grace-period=0", "--force")
    eventually(lambda: get("pod", BARE, namespace) is None, "it is gone", 60)
    return first.at - began, first.thing


def _ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(row["type"] == "Ready" and row["status"] == "True" for row in conditions)


def pairs(number: int) -> tuple[list[float], list[float], dict[str, Any]]:
    """Seconds from zero and of bare pods, pair by pair, and the Model's own figures."""
    with a_namespace() as namespace:
        revision = rests(namespace)
        [pod] = items("pods", namespace, f"{REVISION_LABEL}={revision}")
        found: dict[str, list[float]] = {"zero": [], BARE: []}
        asleep(namespace)
        for pair in range(number):
            for side in sorted(found, reverse=bool(pair % 2)):
                found[side].append(from_zero(namespace) if side == "zero" else bare(namespace, pod)[0])
            print(f"    from zero {found['zero'][-1]:.2f} s, bare pod {found[BARE][-1]:.2f} s", flush=True)
        known = (get("model", "digits", namespace) or {})["status"]["coldStart"]
    return found["zero"], found[BARE], known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=10)
    zero, pods, known = pairs(parser.parse_args().pairs)
    ratios = [ours / theirs for ours, theirs in zip(zero, pods, strict=True)]
    print("\n| what | median, s | slowest, s |\n|---|---|---|")
    for name, took in (("first answer from zero", zero), ("a bare pod, Ready", pods)):
        print(f"| {name} | {statistics.median(took):.2f} | {max(took):.2f} |")
    print(f"| `status.coldStart` (p50, p99 of {known['count']}) | {known['p50']} | {known['p99']} |")
    print(f"\nratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} pairs)")


if __name__ == "__main__":
    main()
