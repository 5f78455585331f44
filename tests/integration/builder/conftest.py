from pathlib import Path

import pytest

from modelyard.builder.triton.install import triton_home
from tests.support.servers.triton_homes import COMPILED, home_with_python_backend


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "integration/build" in item.path.as_posix():
            item.add_marker(pytest.mark.triton)


@pytest.fixture(scope="session")
def python_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Triton whose onnxruntime backend is that in Python, each instance of a model in a process of its own."""
    return home_with_python_backend(triton_home(), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def compiled_home() -> Path:
    """A Triton whose onnxruntime backend is the compiled one."""
    home = triton_home()
    assert (home / COMPILED).exists(), "a C compiler (cc) is missing: apt-get install gcc libc6-dev, or make setup"
    return home


@pytest.fixture(scope="module", params=["compiled_home", "python_home"])
def home(request: pytest.FixtureRequest) -> Path:
    """Either Triton in turn."""
    return request.getfixturevalue(request.param)
