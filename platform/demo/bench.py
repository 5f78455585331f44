"""`python -m demo.bench`: the rows of docs/benchmarks.md that this machine can fill in minutes, as Markdown.

Shares of the stages come from the last run of the demo. "Apply to first prediction" deletes the demo's Model,
applies it again and asks until it answers; its artifact is in the store by then.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time

import numpy as np

from modelyard.clients.inference.predictions import Endpoint, connect
from modelyard.core.names import host
from modelyard.errors import ModelyardError
from modelyard.settings import Settings

from .stage import ROOT, TIMINGS, DemoFailed, output_of

MODEL, NAMESPACE = "digits", "demo"
_LIMIT_SECONDS = 300.0
_PAUSE_SECONDS = 0.05


def machine() -> str:
    """Cores, processor and system, as a reader needs them to compare."""
    with open("/proc/cpuinfo") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return (
        f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}, {platform.system()} {platform.release()}"
    )


def shares() -> list[str]:
    """The last demo's stages."""
    seconds = json.loads(TIMINGS.read_text())[-1]["seconds"]
    total = sum(seconds.values())
    rows = [f"| {name} | {took:.1f} | {100 * took / total:.0f} % |" for name, took in seconds.items()]
    return ["| stage | seconds | share |", "|---|---|---|", *rows, f"| all | {total:.1f} | |"]


def apply_to_first_prediction(endpoint: Endpoint, inputs: np.ndarray) -> float:
    """Seconds from the start of `kubectl apply` to the first answer; the Model does not exist before."""
    output_of(
        "kubectl", "delete", "model", MODEL, "-n", NAMESPACE, "--ignore-not-found", "--cascade=foreground", "--wait"
    )
    started = time.monotonic()
    output_of("kubectl", "apply", "-f", "manifests/digits.yaml")
    connection = connect(endpoint)
    try:
        while time.monotonic() - started < _LIMIT_SECONDS:
            try:
                connection.predict({"input": inputs})
            except ModelyardError:
                time.sleep(_PAUSE_SECONDS)
            else:
                return time.monotonic() - started
    finally:
        connection.close()
    raise DemoFailed(f"no answer within {_LIMIT_SECONDS:.0f} s: modelyard explain {MODEL} -n {NAMESPACE}")


def main() -> int:
    """Print the tables; exit code 1 with a sentence when the cluster does not answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    if not TIMINGS.exists():
        print("bench: run `make demo` first; it starts the cluster and leaves the timings.", file=sys.stderr)
        return 1
    print(f"On {machine()}:\n")
    print("\n".join(shares()), flush=True)
    gateway = Settings.read().gateway
    endpoint = Endpoint(gateway.public_url or gateway.url, MODEL, host(MODEL, NAMESPACE, gateway.domain))
    with np.load(ROOT / "model-repo" / "digits" / "1" / "eval.npz") as held_out:
        inputs = held_out["input:input"][:1]
    try:
        took = [apply_to_first_prediction(endpoint, inputs) for _ in range(runs)]
    except DemoFailed as bad:
        print(f"bench: {bad}", file=sys.stderr)
        return 1
    print("\n| apply to first prediction | median, s | slowest, s |\n|---|---|---|")
    print(f"| {runs} runs | {statistics.median(took):.1f} | {max(took):.1f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
