"""`python -m tests.bench.serving.against_kserve`: what our route and our Models cost beside KServe alone, as Markdown.

Two questions, each asked of both sides in turn, so that whatever else the machine does falls on both.

* A request: one pod of a Model is asked over our route and over a copy of the route that KServe itself makes for an
  InferenceService, pointed at the same Service. Both go through the same gateway, over one kept connection each, in
  rounds; a round gives one ratio of medians.
* From apply to the first prediction: a Model of an entry whose artifact is built, and an InferenceService written by
  hand for the same artifact, runtime and readiness probe, which KServe publishes by its own route. Credentials of the
  store are there for the one by hand; the Model makes its own. A pair gives one ratio.

Needs the local cluster with Modelyard and the example entries.
"""

import argparse
import copy
import statistics
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.cluster.kubectl import apply, eventually, get, kubectl
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.models import a_model, applied, gateway, host, until

REQUEST = {"inputs": [{"name": "input", "shape": [1, 1, 8, 8], "datatype": "FP32", "data": [0.5] * 64}]}
POLL_SECONDS = 0.02
BY_HAND = "by-hand"
OURS, THEIRS = "ours", "KServe's"


def medians(calls: dict[str, Callable[[], None]], rounds: int, requests: int) -> list[dict[str, float]]:
    """Median seconds of a request to each side, by round; the sides take turns, request by request."""
    found = []
    for _ in range(rounds):
        times: dict[str, list[float]] = {side: [] for side in calls}
        for number in range(requests):
            for side in sorted(calls, reverse=bool(number % 2)):
                began = time.perf_counter()
                calls[side]()
                times[side].append(time.perf_counter() - began)
        found.append({side: statistics.median(each) for side, each in times.items()})
    return found


def asked(name: str, model: str) -> Callable[[], None]:
    """One inference over a kept connection; fails when it is not answered."""
    client = httpx.Client(base_url=f"http://{gateway()}", headers={"Host": name}, timeout=10)

    def call() -> None:
        client.post(f"/v2/models/{model}/infer", json=REQUEST).raise_for_status()

    return call


def by_hand(namespace: str, revision: str) -> dict[str, Any]:
    """An InferenceService as a person writes it for what a revision serves."""
    served = get("inferenceservice", revision, namespace)
    assert served is not None
    predictor = served["spec"]["predictor"]
    kept = {key: predictor["model"][key] for key in ("modelFormat", "runtime", "storageUri", "readinessProbe")}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": BY_HAND, "namespace": namespace},
        "spec": {"predictor": {"serviceAccountName": BY_HAND, "model": {**kept, "protocolVersion": "v2"}}},
    }


def credentials(namespace: str) -> list[dict[str, Any]]:
    """A ServiceAccount of its own with a copy of the Secret of the Model."""
    secret = get("secret", "digits--store", namespace)
    assert secret is not None
    notes = {key: value for key, value in secret["metadata"]["annotations"].items() if "kserve" in key}
    named = {"name": BY_HAND, "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": {**named, "annotations": notes}, "data": secret["data"]},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named, "secrets": [{"name": BY_HAND}]},
    ]


def kserves_route(namespace: str) -> dict[str, Any]:
    """The route that KServe makes for the InferenceService by hand, once it is there."""
    return eventually(
        lambda: get("httproute", BY_HAND, namespace) or get("httproute", f"{BY_HAND}-predictor", namespace),
        "KServe has made its route",
    )


def pointed_at(route: dict[str, Any], revision: str, name: str) -> dict[str, Any]:
    """A copy of a route under another host, for the Service of a revision."""
    spec = copy.deepcopy(route["spec"])
    spec["hostnames"] = [name]
    for rule in spec["rules"]:
        for backend in rule["backendRefs"]:
            backend.update(name=f"{revision}-predictor", namespace=route["metadata"]["namespace"])
    metadata = {"name": "copy", "namespace": route["metadata"]["namespace"]}
    return {"apiVersion": route["apiVersion"], "kind": "HTTPRoute", "metadata": metadata, "spec": spec}


def seconds_to_answer(manifest: dict[str, Any], name: str, model: str) -> float:
    """From `kubectl apply` to the first prediction over this host; the object is deleted again."""
    metadata = manifest["metadata"]
    with httpx.Client(base_url=f"http://{gateway()}", headers={"Host": name}, timeout=10) as client:
        began = time.monotonic()
        apply(manifest)

        def answered() -> bool:
            return client.post(f"/v2/models/{model}/infer", json=REQUEST).status_code == httpx.codes.OK

        eventually(answered, f"{name} answers", 180, POLL_SECONDS)
        took = time.monotonic() - began
    kubectl("delete", manifest["kind"], metadata["name"], "-n", metadata["namespace"], "--wait=true")
    eventually(lambda: not _pods(metadata["namespace"]), "its pods are gone", 120)
    return took


def _pods(namespace: str) -> str:
    return kubectl("get", "pods", "-n", namespace, "-o", "name").stdout.strip()


def spread(ratios: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--pairs", type=int, default=7)
    arguments = parser.parse_args()
    with a_namespace() as namespace:
        applied(a_model("digits", namespace))
        revision = until("digits", namespace, "Reconciling", "False", "Done")["status"]["revision"]
        apply(*credentials(namespace))
        hand = by_hand(namespace, revision)
        apply(hand)
        route = kserves_route(namespace)
        theirs = route["spec"]["hostnames"][0]
        apply(pointed_at(route, revision, "copy.models.local"))
        sides = {OURS: asked(host("digits", namespace), "digits"), THEIRS: asked("copy.models.local", "digits")}
        eventually(lambda: _answers(sides[THEIRS]), "the copied route answers")
        medians(sides, 1, 100)
        found = medians(sides, arguments.rounds, arguments.requests)
        kubectl("delete", "inferenceservice", BY_HAND, "-n", namespace)
        kubectl("delete", "httproute", "copy", "-n", namespace)
        kubectl("delete", "model", "digits", "-n", namespace)
        eventually(lambda: not _pods(namespace), "all pods are gone", 120)

        times: dict[str, list[float]] = {OURS: [], THEIRS: []}
        for pair in range(arguments.pairs):
            manifests = {
                OURS: (a_model("digits", namespace), host("digits", namespace)),
                THEIRS: (hand, theirs),
            }
            for side in sorted(manifests, reverse=bool(pair % 2)):
                times[side].append(seconds_to_answer(*manifests[side], "digits"))
            print(f"    {times[OURS][-1]:.2f} s, {times[THEIRS][-1]:.2f} s", flush=True)
    report(found, times)


def _answers(call: Callable[[], None]) -> bool:
    try:
        call()
    except httpx.HTTPError:
        return False
    return True


def report(requests: list[dict[str, float]], times: dict[str, list[float]]) -> None:
    """Both tables."""
    milliseconds = {side: 1e3 * statistics.median(each[side] for each in requests) for side in requests[0]}
    ratios = [each[OURS] / each[THEIRS] for each in requests]
    print("\n| p50 of a request | our route, ms | KServe's, ms | ratio (spread over the rounds) |\n|---|---|---|---|")
    print(f"| {len(requests)} rounds | {milliseconds[OURS]:.3f} | {milliseconds[THEIRS]:.3f} | {spread(ratios)} |")
    starts = [ours / theirs for ours, theirs in zip(times[OURS], times[THEIRS], strict=True)]
    print("\n| apply to first prediction | Model, s | InferenceService, s | ratio (spread over the pairs) |")
    print("|---|---|---|---|")
    medians_of = {side: statistics.median(each) for side, each in times.items()}
    print(f"| {len(starts)} pairs | {medians_of['ours']:.2f} | {medians_of[THEIRS]:.2f} | {spread(starts)} |")


if __name__ == "__main__":
    main()
