"""`python -m tests.bench.monitoring.evaluator [MODELS [FEATURES [MINUTES]]]`: what the evaluator costs.

Models with a reference of 4,000 rows, a minute of 100 rows from two recorders, in a store in memory: what is told is
the evaluator's own, listing, reading, judging, writing. The network's share comes on top: one listing, two objects
read and one written a revision and minute. Prints CPU seconds of a pass, and memory before and after.
"""

import resource
import sys
import time
from pathlib import Path

from modelyard.api.monitoring.counts import FeatureCounts, MinuteCounts
from modelyard.api.monitoring.profile import FeatureProfile, ReferenceProfile
from modelyard.api.monitoring.spec import Monitoring
from modelyard.core.storage.keys import build_profile
from modelyard.core.storage.monitoring_keys import COUNTS, MinuteKey
from modelyard.evaluator.process import Evaluator
from modelyard.evaluator.recorded_models import RecordedRevision
from tests.support.objects.memory_store import MemoryStore

START = 29_900_160
_DIGEST = "sha256:" + "1" * 64
_EDGES = tuple(float(at) for at in range(1, 20))
_BINS = (200,) * 20


def world(models: int, features: int) -> tuple[MemoryStore, list[RecordedRevision]]:
    """A store with the reference, and the revisions."""
    store = MemoryStore()
    each = {
        "role": "input", "kind": "number", "rows": 4000, "missing": 0, "low": 0.0, "high": 20.0, "outside": 2,
        "edges": _EDGES, "bins": _BINS,
    }  # fmt: skip
    profiles = tuple(
        FeatureProfile.model_validate({"name": f"x{at}", "column": f"x{at}", **each}) for at in range(features)
    )
    profile = ReferenceProfile(source="bench", rows=4000, features=profiles)
    store.objects[build_profile(_DIGEST)] = profile.model_dump_json(by_alias=True).encode()
    asked = Monitoring(sample="auto")
    return store, [RecordedRevision("demo", f"m{at}", f"m{at}-1", _DIGEST, asked) for at in range(models)]


def recorded(store: MemoryStore, revisions: list[RecordedRevision], features: int, minute: int) -> None:
    """Two recorders write a minute of every revision."""
    one = FeatureCounts(rows=50, bins=(3, 2) * 10)
    counts = MinuteCounts(minute=minute, requests=50, features={f"x{at}": one for at in range(features)})
    content = counts.model_dump_json(by_alias=True, exclude_defaults=True).encode()
    for revision in revisions:
        for writer in ("a", "b"):
            store.objects[MinuteKey(*revision[:3], minute * 60, writer).key(COUNTS)] = content


def resident() -> float:
    """MiB that the process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def main(models: int = 100, features: int = 100, minutes: int = 10) -> None:
    """Prints the table."""
    store, revisions = world(models, features)
    clock = {"minute": START}
    evaluator = Evaluator(store, lambda: revisions, lambda: "", lambda: clock["minute"] * 60.0)
    recorded(store, revisions, features, START)
    before = resident()
    spent = []
    for at in range(minutes + 3):
        clock["minute"] = START + at
        recorded(store, revisions, features, START + at)
        begun = time.process_time()
        evaluator.look()
        spent.append(time.process_time() - begun)
    told = time.process_time()
    size = len(evaluator.metrics.text())
    told = time.process_time() - told
    steady = sorted(spent[3:])
    print(f"{models} Models of {features} features, 100 rows a minute each from two recorders")
    middle = steady[len(steady) // 2]
    print(f"a minute of all: {middle:.2f} CPU s, worst {steady[-1]:.2f}; the first {max(spent):.2f}")
    print(f"memory: {resident() - before:.0f} MiB more than before, {resident():.0f} MiB in all with the bench's store")
    detector = [len(content) for key, content in store.objects.items() if key.endswith("detector.json")]
    status = [len(content) for key, content in store.objects.items() if key.endswith("status.json")]
    print(f"record: {max(detector, default=0) / 1024:.0f} KiB a revision; status: {max(status) / 1024:.1f} KiB")
    print(f"one scrape: {told:.2f} CPU s, {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
