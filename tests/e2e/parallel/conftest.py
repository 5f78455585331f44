"""Three processes share these files: the longest first, so that none is left alone with one at the end."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONGEST_FIRST = (
    "test_bad_candidates", "test_wishes", "test_refused_pods", "test_optimization", "test_canary", "test_scale_to_zero",
    "test_load_test", "test_publication", "test_unknowns", "test_switching", "test_people", "test_autoscalers",
    "test_replicas", "test_recreate", "test_ab", "test_predictions", "test_blue_green", "test_leftovers", "test_shadow",
    "test_mistakes", "test_release",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files above come first in this order, the others after them in theirs."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    here = [item for item in items if item.path.is_relative_to(HERE)]
    ordered = iter(sorted(here, key=lambda item: ranks.get(item.path.stem, len(ranks))))
    items[:] = [next(ordered) if item.path.is_relative_to(HERE) else item for item in items]
