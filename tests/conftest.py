"""Fixtures that several rooms of tests share, and the marker of what takes long."""

import os

import pytest

pytest_plugins = ["tests.support.real_apiserver"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "proof: takes long; left to `make proof`, which sets MODELYARD_PROOF=1.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What takes long is left to `make proof`."""
    long = [] if os.environ.get("MODELYARD_PROOF") else [one for one in items if one.get_closest_marker("proof")]
    config.hook.pytest_deselected(items=long)
    items[:] = [one for one in items if one not in long]
