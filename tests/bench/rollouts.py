"""`python -m tests.bench.rollouts`: how fast a bad candidate is out, and what a rollout costs, as Markdown.

"Out" is the time from the first request a candidate got to the last one, as the clients saw it; from its first
request on every one is bad. It gets a tenth of 50 requests a second, half over HTTP and half over gRPC: more would
keep a small machine busy with the slow one's arithmetic alone. The operator's CPU is that of both its pods, by Linux'
own count, while the same traffic flows without a rollout and with one that waits at its first step. Needs the local
cluster with Modelyard and the example entries.
"""

import argparse
import statistics
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.cluster.kubectl import apply, items, kubectl, run
from tests.support.cluster.rollout_under_load import BRIGHT, CLEAN, RolloutUnderLoad, a_canary

PROMISE = {"errorRate": "1%", "latency": {"percentile": 99, "threshold": "100ms"}}
SLOW_MILLISECONDS = 130
TICKS = 100
"""Clock ticks a second in /proc/<pid>/stat, on every Linux since 2.6."""
SPAN_SECONDS = 30.0


@contextmanager
def a_namespace() -> Iterator[str]:
    name = f"bench-{uuid.uuid4().hex[:8]}"
    apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def seconds_to_be_out(runs: int, inputs: tuple[str, ...], entry: str, version: str, slo: dict) -> list[float]:
    """The same candidate again and again; it stays ready meanwhile, so every run begins with its first weight."""
    found = []
    with (
        a_namespace() as namespace,
        RolloutUnderLoad(namespace, a_canary(10, abortScaleDownDelay="30m"), inputs, slo=slo) as tried,
    ):
        tried.ask(entry, version)
        for known in range(runs):
            ended = tried.ended(known)
            assert ended["outcome"] == "Aborted", ended["message"]
            time.sleep(2)
            spans = [
                count["spans"][ended["revision"]] for count in tried.rest()[-2:] if ended["revision"] in count["spans"]
            ]
            found.append(max(last for _, last in spans) - min(first for first, _ in spans))
            print(f"    {found[-1]:.2f} s  {ended['message']}", flush=True)
            tried.resume_load()
            time.sleep(5)
            if known + 1 < runs:
                tried.say("retry")
    return found


def operator_cpu() -> float:
    """Seconds of CPU that the operator's pods have used."""
    selector = "app.kubernetes.io/name=modelyard,app.kubernetes.io/component=operator"
    used = 0.0
    for pod in items("pods", "modelyard-system", selector):
        text = kubectl("exec", pod["metadata"]["name"], "-n", "modelyard-system", "--", "cat", "/proc/1/stat").stdout
        used += sum(int(ticks) for ticks in text.rpartition(")")[2].split()[11:13]) / TICKS
    return used


def cores(seconds: float) -> float:
    """Cores the operator's pods use, over the coming seconds."""
    begun, before = time.monotonic(), operator_cpu()
    time.sleep(seconds)
    after = operator_cpu()
    return (after - before) / (time.monotonic() - begun)


def cpu_of_a_rollout() -> tuple[float, float]:
    """Cores without a rollout and with one."""
    waiting = a_canary(25)
    waiting["steps"][0]["hold"] = "10m"
    with a_namespace() as namespace, RolloutUnderLoad(namespace, waiting, CLEAN) as tried:
        time.sleep(10)
        without = cores(SPAN_SECONDS)
        tried.ask(version="2")
        tried.gets(25)
        time.sleep(10)
        return without, cores(SPAN_SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    errors = seconds_to_be_out(runs, BRIGHT, "digits", "3", {"errorRate": "1%"})
    version = run("python", "-m", "tests.support.artifacts.bad_models", "slow", str(SLOW_MILLISECONDS)).stdout.strip()
    slow = seconds_to_be_out(runs, CLEAN, "digits-slow", version, PROMISE)
    without, during = cpu_of_a_rollout()
    print("\n| a candidate that | runs | out after, median, s | slowest, s |\n|---|---|---|---|")
    for what, found in (("fails every request", errors), ("answers every request too late", slow)):
        print(f"| {what} | {len(found)} | {statistics.median(found):.2f} | {max(found):.2f} |")
    print("\n| the operator's two pods | cores |\n|---|---|")
    print(f"| no rollout | {without:.3f} |\n| one rollout | {during:.3f} |")


if __name__ == "__main__":
    main()
