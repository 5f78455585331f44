"""How many random worlds are tried, and whose lines are counted.

A few worlds by default, many with HYPOTHESIS_PROFILE=proof, the same ones in CI. Counting lines makes Python two or
three times as slow, so only the tests of `api` and `core` are counted, which are to reach every branch of both; of
those not the ones that repeat themselves in random worlds, at crashes and in simulations: they run uncounted.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

_PATIENT = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("modest", max_examples=150, deadline=None, suppress_health_check=_PATIENT)
settings.register_profile("ci", parent=settings.get_profile("modest"), derandomize=True, print_blob=True)
settings.register_profile("proof", parent=settings.get_profile("modest"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "modest"))

COUNTED = {"api", "core"}
"""Rooms."""
REPEATING = {
    "test_burst_grid",
    "test_crashes",
    "test_gate_simulation",
    "test_promises",
    "test_random_rollouts",
    "test_random_worlds",
}
"""Files."""
_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Ends the measurement that pytest-cov begins in a process of xdist before it begins the one that counts.

    It would never be ended, and go on whenever the other pauses, so that nothing ran uncounted.
    """
    counting: Any = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and counting is not None and counting.cov_controller is not None:
        counting.cov_controller.cov.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not item.path.is_relative_to(_HERE):
            continue
        room = item.path.relative_to(_HERE).parts[0]
        if room not in COUNTED or item.path.stem in REPEATING:
            item.add_marker("no_cover")
