"""What needs the environment that has torch; without it these tests say how to get it."""

import pytest

from modelyard.build.optimize.training import environment


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [item for item in items if "integration/training" in item.path.as_posix()]
    reason = environment.against() if ours else None
    for item in ours:
        item.add_marker(pytest.mark.torch)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))
