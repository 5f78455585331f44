"""`python -m tests.bench.optimization [WHAT ...]`: what `modelyard optimize` is worth, as Markdown.

    minilm    MiniLM against torch eager and torch.compile; goal 3 times at batch 1 with cosine 0.99
    resnet    ResNet-18 likewise; goal 6 times, a quarter of the size, 1 % of the accuracy
    search    the search against every setting there is; goal 95 % of the best in a quarter of the time
    olive     MiniLM in int8 by Olive's recipe for BERT, made in an environment of its own, against ours

All by default. Each takes minutes, wants a quiet machine and says how quiet it was.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .against_grid import against_grid
from .against_olive import against_olive
from .against_torch import GOALS, against_torch

WHAT = (*GOALS, "search", "olive")


def lines(what: str, given: argparse.Namespace, scratch: Path) -> Iterator[str]:
    """The lines of one measurement, as they are known."""
    if what == "search":
        return against_grid(given.entry, scratch, given.seeds)
    if what == "olive":
        return against_olive(scratch, given.budget)
    return against_torch(GOALS[what], scratch, given.budget, given.chosen)


def main() -> int:
    """0 when everything asked for was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help=f"some of {', '.join(WHAT)}")
    parser.add_argument("--budget", type=float, default=150.0, help="seconds of each optimization")
    parser.add_argument("--chosen", type=Path, help="minilm, resnet: the chosen/ that modelyard optimize wrote")
    parser.add_argument("--entry", type=Path, default=GOALS["minilm"].entry, help="search: the entry searched")
    parser.add_argument("--seeds", type=int, default=3, help="search: how many searches")
    given = parser.parse_args()
    strange = sorted(set(given.what) - set(WHAT))
    if strange:
        parser.error(f"there is no measurement {strange[0]}; there are {', '.join(WHAT)}")
    for what in given.what or WHAT:
        print(f"\n## {what}\n", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"bench-{what}-") as scratch:
            for line in lines(what, given, Path(scratch)):
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
