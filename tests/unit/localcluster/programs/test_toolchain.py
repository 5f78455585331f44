"""Programs this machine provides, and what is said when it does not."""

from pathlib import Path

import pytest

from localcluster.errors import NotPossible
from localcluster.programs import toolchain

VERSIONS = {
    "go version go1.26.8 linux/amd64": True,
    "go version go1.26.7 linux/amd64": True,
    "go version go1.27 linux/amd64": True,
    "go version go1.26.6 linux/amd64": False,
    "go version go1.9.9 linux/amd64": False,
    "nonsense": False,
}


@pytest.mark.parametrize("said", VERSIONS)
def test_go_is_taken_when_it_is_new_enough(said: str):
    assert toolchain.new_enough(said, "1.26.7") is VERSIONS[said]


def test_somebody_who_is_not_root_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NotPossible, match="MODELYARD_CLUSTER=existing"):
        toolchain.require_root()


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotPossible, match="no-such-program is missing"):
        toolchain.program("no-such-program")
