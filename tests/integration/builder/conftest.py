import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration/build" in item.path.as_posix():
            item.add_marker(pytest.mark.triton)
