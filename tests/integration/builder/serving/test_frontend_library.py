"""The library that is loaded before Triton knows the program's own calls, wherever that is installed."""

from pathlib import Path

import httpx
import pytest

from modelyard.builder.triton.install import triton_home
from modelyard.builder.triton.server import running
from tests.support.artifacts import onnx_models as models
from tests.support.servers.triton_homes import save_for_triton

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("folder", ["triton", "anna.sommer", "libtriton.so.d"])
def test_a_clients_mistake_is_the_clients_whatever_the_home_is_called(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).symlink_to(triton_home())
    save_for_triton(models.doubling(), "max_batch_size: 16\n", tmp_path / "repository" / "double")

    with running(tmp_path / folder, tmp_path / "repository", "double", tmp_path / "triton.log") as server:
        answer = httpx.post(f"{server.url}/v2/models/double/infer", content=b"{nonsense", trust_env=False)

    assert (answer.status_code, "failed to parse the request JSON" in answer.text) == (400, True)
