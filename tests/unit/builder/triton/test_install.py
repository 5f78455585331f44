"""Where the local Triton comes from, and what is said when it cannot be had."""

from pathlib import Path

import pytest

from modelyard.builder.triton import install
from modelyard.builder.triton.server import reasons
from modelyard.errors import InvalidSettings


def test_a_triton_that_is_already_there_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "tritonserver").touch()
    monkeypatch.setenv("MODELYARD_TRITON_HOME", str(tmp_path))

    assert install.triton_home() == tmp_path


def test_a_named_folder_without_triton_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_TRITON_HOME", str(tmp_path))

    with pytest.raises(InvalidSettings, match="has no bin/tritonserver; unset it"):
        install.triton_home()


def test_another_system_is_told_where_to_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELYARD_TRITON_HOME", raising=False)
    monkeypatch.setattr("sys.platform", "darwin")

    with pytest.raises(InvalidSettings, match="only on Linux x86-64"):
        install.triton_home()


def test_the_reasons_of_a_failure_are_read_from_the_log_without_its_noise(tmp_path: Path) -> None:
    log = tmp_path / "triton.log"
    log.write_text(
        'E0101 10:00:00.1 1 server.cc:241] "CudaDriverHelper has not been initialized."\n'
        "E0101 10:00:00.2 1 model_lifecycle.cc:642] \"failed to load 'm' version 1: Invalid argument: no\"\n"
        "I0101 10:00:00.3 1 server.cc:305] waiting\n"
        "terminate called after throwing an instance of 'x'\n  what():  no folder\n"
    )

    assert reasons(log) == "failed to load 'm' version 1: Invalid argument: no; no folder"
