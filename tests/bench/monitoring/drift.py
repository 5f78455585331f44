"""What finds a change of rows, how soon, and what cries wolf: the table of platform/docs/benchmarks/drift.md.

    python -m tests.bench.monitoring.drift [MONTHS [RUNS]]      quiet months to simulate (2), changes of each kind (40)

30 features, 100 rows a minute, a reference of 4,000 rows, one false alarm a year; the change is in one feature. Then
what the detector costs: 100 Models of 100 features, a minute of each.
"""

import random
import sys
import time
import tracemalloc
from collections.abc import Mapping

from modelyard.api.monitoring.counts import MinuteCounts
from modelyard.api.monitoring.profile import ReferenceProfile
from modelyard.cli.simulation.drift import ONE_CLOCK, THREE_CLOCKS, rules, span_text
from modelyard.core.monitoring.alarms import Clock
from modelyard.core.monitoring.model_state import ModelQuestions, ModelState, updated
from modelyard.core.monitoring.simulation.course import Made, Setting, change, quiet
from modelyard.core.monitoring.simulation.detectors import OneClock
from modelyard.core.monitoring.simulation.streams import DAY, Stream, StreamModel, reference

WEEK = 7 * DAY
CHANGES: Mapping[str, StreamModel] = {
    "0.5 sigma": StreamModel(shift=0.5),
    "0.25 sigma": StreamModel(shift=0.25),
    "0.1 sigma": StreamModel(shift=0.1),
    "category 5 -> 10 %": StreamModel(category=(0.05, 0.10)),
    "category 5 -> 7 %": StreamModel(category=(0.05, 0.07)),
    "missing 0 -> 2 %": StreamModel(missing=(0.0, 0.02)),
    "missing 0 -> 0.5 %": StreamModel(missing=(0.0, 0.005)),
    "missing 1 -> 3 %": StreamModel(missing=(0.01, 0.03)),
    "unseen 0 -> 1 %": StreamModel(outside=0.01),
}
MODELS, FEATURES, MINUTES = 100, 100, 3


def main(months: int, runs: int) -> None:
    """Prints all tables as Markdown."""
    soon(runs)
    rhythms()
    calm(months)
    cost()


def soon(runs: int) -> None:
    """How soon changes are found."""
    print("\n| change | e-detector on minutes alone | p90 | three clocks | p90 |\n|---|---|---|---|---|", flush=True)
    for name, model in CHANGES.items():
        cells = []
        for rule, begins in ((ONE_CLOCK, 0), (THREE_CLOCKS, WEEK)):
            few = runs if rule == ONE_CLOCK else max(1, runs // 4)
            begun = StreamModel(**{**model.__dict__, "begins": begins})
            found = change(rules()[rule], begun, Setting(), 3 * DAY, few, random.Random(1))
            cells += [f"{span_text(found.median)} ({found.found:.0%} of {few})", span_text(found.p90)]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    for name in [rule for rule in rules() if rule not in (ONE_CLOCK, THREE_CLOCKS)]:
        cells = []
        for shift in ("0.25 sigma", "0.1 sigma"):
            found = change(rules()[name], CHANGES[shift], Setting(), 3 * DAY, runs, random.Random(1))
            cells.append(f"{shift}: {span_text(found.median) or '-'} ({found.found:.0%})")
        print(f"{name}: {', '.join(cells)}", flush=True)


def rhythms() -> None:
    """Alarms of one feature in 12 days of a rhythm, and of bursts in 10."""
    looks: dict[str, Made] = {
        "minutes": rules()[ONE_CLOCK],
        "minutes without phi": lambda profiles, watched, _: OneClock(profiles, watched, dispersed=False),
        "hours": lambda profiles, watched, _: OneClock(profiles, watched, Clock.HOUR),
        "three clocks": rules()[THREE_CLOCKS],
    }
    print("\n| stream, one feature | " + " | ".join(looks) + " |\n" + "|---" * (1 + len(looks)) + "|", flush=True)
    streams = {f"rhythm +-{size} sigma": StreamModel(rhythm=size) for size in (0.1, 0.2, 0.3)}
    streams |= {f"bursts, correlation {size}": StreamModel(correlation=size) for size in (0.01, 0.05)}
    for name, model in streams.items():
        found = quiet(looks, model, Setting(features=1), 12, 2, random.Random(1))
        print(f"| {name} | " + " | ".join(f"{one.alarms_a_month:.3g} a month" for one in found.values()) + " |")


def calm(months: int) -> None:
    """Quiet months: how many alarm, and how often."""
    print("\n| rule | quiet months with alarms | alarms a month |\n|---|---|---|", flush=True)
    for name, one in quiet(rules(), StreamModel(), Setting(), 30, months, random.Random(1)).items():
        print(f"| {name} | {one.alarmed} of {one.runs} | {one.alarms_a_month:.3g} |", flush=True)


def cost() -> None:
    """CPU and memory of the detector."""
    chance, model = random.Random(1), StreamModel()
    features = tuple(reference(model, 1000, f"x{at}", chance) for at in range(FEATURES))
    questions = ModelQuestions(ReferenceProfile(source="made up", rows=1000, features=features))
    streams = [Stream(model, feature, chance) for feature in features]
    minutes = [
        MinuteCounts.model_construct(minute=at, features={f"x{n}": one.minute(at) for n, one in enumerate(streams)})
        for at in range(MINUTES + 1)
    ]
    tracemalloc.start()
    states = [updated(questions, ModelState(), minutes[0], 0) for _ in range(MODELS)]
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    began = time.process_time()
    for counts in minutes[1:]:
        states = [updated(questions, state, counts, counts.minute) for state in states]
    seconds = (time.process_time() - began) / MINUTES
    print(f"\n{MODELS} Models of {FEATURES} features: {seconds:.2f} CPU s a minute, {seconds / 60:.2%} of a core;")
    print(f"{kept / 2**20:.0f} MiB of state, {kept / MODELS / FEATURES:.0f} bytes a feature.", flush=True)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given + [2, 40][len(given) :]))
