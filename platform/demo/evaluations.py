"""`python -m demo.evaluations`: how long the gates take to judge many rollouts at once, in CPU time.

Every rollout has ten minutes of the stable's history behind it and gets one new second of traffic per evaluation,
judged by the latency and errors gates with the bounds of the chart's gateway. Prints one line of Markdown.
"""

import statistics
import time
from dataclasses import replace

from modelyard.api.model import ModelSpec
from modelyard.api.rollout_status import Phase
from modelyard.core.analysis import gates as analysis_gates
from modelyard.core.analysis.gate_input import GateInput
from modelyard.core.traffic import Counts, Traffic, TrafficWindow

ROLLOUTS, ROUNDS, HISTORY = 100, 20, 600
BOUNDS = (1, 2, 3, 5, 7.5, 10, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000)
_SPEC = {
    "source": {"name": "digits", "version": "2"},
    "slo": {"latency": {"percentile": 99, "threshold": "100ms"}, "errorRate": "1%"},
}


def second(end: int) -> TrafficWindow:
    """A second of 100 requests, a quarter of them the candidate's, one in fifty slow."""

    def counts(requests: int) -> Counts:
        slow = requests // 50
        return Counts(requests, 0, requests, {bound: requests - (slow if bound < 200 else 0) for bound in BOUNDS})

    return TrafficWindow(end, 1, {"a": counts(75), "b": counts(25)})


def evaluate(rounds: int = ROUNDS) -> list[float]:
    """CPU seconds of judging all rollouts once, for every round; the first, which reads the history, is left out."""
    slices = [second(end) for end in range(1, HISTORY + rounds + 1)]
    spec, now = ModelSpec.model_validate(_SPEC), float(HISTORY)
    begin = Traffic(tuple(slices[:HISTORY]))
    look = GateInput(now, spec, "a", "b", begin, now - 1, 0.0, 25, Phase.ADVANCING, {}, None, None, {})
    looks = [look] * ROLLOUTS
    took = []
    for passed in range(rounds):
        began = time.process_time()
        found = [analysis_gates.evaluate(one) for one in looks]
        took.append(time.process_time() - began)
        at = HISTORY + passed + 1
        traffic = Traffic(tuple(slices[passed + 1 : at]))
        looks = [
            replace(one, now=float(at), traffic=traffic, before={gate.name: gate for gate in gates})
            for one, gates in zip(looks, found, strict=True)
        ]
    return took[1:]


def main() -> None:
    """Prints the median round and its spread."""
    took = [1000 * seconds for seconds in evaluate()]
    middle = statistics.median(took)
    spread = f"{min(took):.0f} to {max(took):.0f}, {len(took)} rounds"
    each_second = f"{1000 * ROLLOUTS / middle:.0f} evaluations a second"
    print(f"| judging {ROLLOUTS} rollouts once | {middle:.0f} ms of CPU ({spread}) | {each_second} |")


if __name__ == "__main__":
    main()
