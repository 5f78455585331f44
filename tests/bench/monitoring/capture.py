"""`python -m tests.bench.monitoring.capture [--rounds 6 --seconds 30 --rate 100]`: what recording a request costs, CPU.

Three Models of one entry, of which nothing, 1 % and everything is recorded, are asked in turn, a block each, in another
order every round; nothing is switched in between. Of each block: CPU seconds of Envoy and of the recorder (user and
system, from /proc), by the requests that were answered, and how many of them were recorded. What recording adds is
told round by round against the block of the Model without it. Goal: at 1 % no more than 25 % of Envoy's own.

Needs the local cluster with recorders on this machine (`make cluster ADDONS=recording`).
"""

import argparse
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.cluster.control_plane import pod_processes
from tests.support.cluster.kubectl import ROOT, eventually, run
from tests.support.cluster.local_cluster import a_namespace
from tests.support.cluster.models import Load, a_model, applied, until
from tests.support.recording.counted import recorded

TENSOR = "input:1,1,8,8"
KEPT = {"columns": ["*"]}
RECORDED: Mapping[str, dict[str, Any] | None] = {
    "nothing": None,
    "percent": {"sample": "1%", "log": KEPT},
    "everything": {"sample": "100%", "log": KEPT},
}
"""Name of each Model -> its spec.monitoring."""
NOTHING = "nothing"
GOAL = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")
_SETTLING_SECONDS = 3.0
"""After a block: what was copied last is decoded, and its minute may end."""


class Block(NamedTuple):
    """Microseconds of CPU a request, of Envoy and of the recorder; the share that was recorded; requests a second."""

    envoy: float
    recorder: float
    recorded: float
    per_second: float

    @property
    def both(self) -> float:
        """Of both programs."""
        return self.envoy + self.recorder


def envoys() -> list[int]:
    """Process ids of the gateway's proxies on this machine."""
    found = []
    for running in Path("/proc").glob("[0-9]*"):
        try:
            words = (running / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if Path(words[0].decode()).name == "envoy":
            found.append(int(running.name))
    return found


def cpu_seconds(processes: Sequence[int]) -> float:
    """User and system time that these have used so far; all of them still run."""
    facts = [Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split() for process in processes]
    return sum(int(fact[11]) + int(fact[12]) for fact in facts) / _TICKS


def measured(model: str, namespace: str, seconds: float, rate: float) -> Block:
    """One block of load on one Model; new connections each time, so that Envoy's newest routes hold."""
    proxies, recorders = envoys(), list(pod_processes("recorder").values())
    before = cpu_seconds(proxies), cpu_seconds(recorders), recorded()
    load = Load("http", model, namespace, TENSOR, rate)
    load.begun()
    began = time.monotonic()
    time.sleep(seconds)
    counted = load.ended()
    took = time.monotonic() - began
    time.sleep(_SETTLING_SECONDS)
    after = cpu_seconds(proxies), cpu_seconds(recorders), recorded()
    assert counted["failures"] == 0, counted
    envoy, recorder, copies = (now - then for now, then in zip(after, before, strict=True))
    requests = counted["requests"]
    return Block(1e6 * envoy / requests, 1e6 * recorder / requests, copies / requests, requests / took)


def rounds(number: int, seconds: float, rate: float) -> list[dict[str, Block]]:
    """The blocks of every round, by Model."""
    found: list[dict[str, Block]] = []
    with a_namespace() as namespace:
        run("modelyard", "push", str(ROOT / "model-repo" / "digits" / "1"))
        for name, monitoring in RECORDED.items():
            watched = {} if monitoring is None else {"monitoring": monitoring}
            applied(a_model(name, namespace, serving={"replicas": 1}, **watched))
        for name in RECORDED:
            until(name, namespace, "Ready", "True", seconds=400)
        eventually(lambda: measured("everything", namespace, 5, rate).recorded > 0.99, "the gateway records", 180)
        for at in range(number):
            names = list(RECORDED)
            order = names[at % len(names) :] + names[: at % len(names)]
            found.append({name: measured(name, namespace, seconds, rate) for name in order})
            told = ", ".join(f"{name} {found[-1][name].both:.0f} us" for name in names)
            print(f"    round {at + 1}: {told}", flush=True)
    return found


def added(blocks: Sequence[Mapping[str, Block]], name: str) -> list[float]:
    """What recording adds in each round, by Envoy's own time without it."""
    return [(one[name].both - one[NOTHING].both) / one[NOTHING].envoy for one in blocks]


def table(blocks: Sequence[Mapping[str, Block]]) -> str:
    """Medians, as Markdown."""
    lines = [
        "| recorded | of requests | Envoy, us a request | recorder, us a request | added, of Envoy's own (range) |",
        "|---|---|---|---|---|",
    ]
    for name in RECORDED:
        own = [one[name] for one in blocks]
        share, envoy, recorder = (
            statistics.median(getattr(block, field) for block in own) for field in ("recorded", "envoy", "recorder")
        )
        more = added(blocks, name)
        told = "" if name == NOTHING else f"{statistics.median(more):.0%} ({min(more):.0%} to {max(more):.0%})"
        lines.append(f"| {name} | {share:.1%} | {envoy:.0f} | {recorder:.0f} | {told} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the table, and whether the goal is kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rate", type=float, default=100)
    arguments = parser.parse_args()
    assert pod_processes("recorder"), "no recorder runs on this machine: make cluster ADDONS=recording"
    assert envoys(), "no Envoy runs on this machine"
    blocks = rounds(arguments.rounds, arguments.seconds, arguments.rate)
    rate = statistics.median(one[NOTHING].per_second for one in blocks)
    print(f"\n{arguments.rounds} rounds of {arguments.seconds:g} s a block, {rate:.0f} requests/s over HTTP\n")
    print(table(blocks))
    kept = statistics.median(added(blocks, "percent")) <= GOAL
    print(f"\ngoal at 1 %: {GOAL:.0%} of Envoy's own at most: {'kept' if kept else 'missed'}")


if __name__ == "__main__":
    main()
