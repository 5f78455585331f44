"""`localcluster up` refuses a number of nodes it cannot start before it starts anything."""

import pytest
from typer.testing import CliRunner

from localcluster import commands, existing
from localcluster.errors import NotPossible

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object) -> None:
        pytest.fail("something was started")

    monkeypatch.setattr(commands, "_carry_out", start)
    monkeypatch.setattr(commands.toolchain, "require_root", lambda: None)
    monkeypatch.delenv(existing.VARIABLE, raising=False)


@pytest.mark.parametrize("number", ["0", "4", "many"])
def test_another_number_of_nodes_is_refused(number: str):
    done = RUNNER.invoke(commands.app, ["up", "--nodes", number])
    assert isinstance(done.exception, NotPossible)
    assert f"NODES={number} is not possible" in str(done.exception)


@pytest.mark.parametrize("where", ["kind", "existing"])
def test_a_cluster_that_is_not_ours_to_make_takes_no_number_of_nodes(where: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(existing.VARIABLE, where)
    done = RUNNER.invoke(commands.app, ["up", "--nodes", "2"])
    assert isinstance(done.exception, NotPossible)
    assert "leave it out" in str(done.exception)
